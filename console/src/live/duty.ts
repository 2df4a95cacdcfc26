/** The desks 值班席 as the service sees them: floods, attendance, handovers that wait. */

import { shallowRef } from 'vue';

import { Problem } from '@/api/client';
import { desks, present } from '@/api/endpoints';
import type { Desk, Entry } from '@/api/types';
import { desk as chosen } from '@/preferences/preferences';
import { may } from '@/session/session';

/** A flood's count goes on changing without an entry. */
const REFRESH_MS = 30_000;
const PRESENCE_MS = 30_000;
const CHANGES = /^(flood|desk|shift)\./;

export class Duty {
  readonly desks = shallowRef<readonly Desk[]>([]);
  /** There was an answer: without desks there are none. */
  readonly known = shallowRef(false);
  private timer: ReturnType<typeof setInterval> | undefined;
  private toldAt = -PRESENCE_MS;

  start(): void {
    this.timer = setInterval(() => void this.load(), REFRESH_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Without an answer what was known before is shown until the next time. */
  async load(): Promise<void> {
    try {
      this.desks.value = await desks();
      this.known.value = true;
      // The service refuses acts at a desk that it does not know (any more).
      if (!this.desks.value.some((each) => each.id === chosen.value)) chosen.value = '';
      // Whoever sees one desk alone sits there.
      const [only, ...others] = this.desks.value;
      if (chosen.value === '' && only !== undefined && others.length === 0 && may('mark_presence')) chosen.value = only.id;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
  }

  /** An entry tells of a change at once; the list has the rest. */
  take(entry: Entry): void {
    if (CHANGES.test(entry.kind)) void this.load();
  }

  /** A mouse or a key was used. `now`: ms of any clock. */
  async touch(now: number): Promise<void> {
    if (now - this.toldAt < PRESENCE_MS || !this.desks.value.some((each) => each.id === chosen.value)) return;
    this.toldAt = now;
    try {
      await present(chosen.value);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.toldAt = -PRESENCE_MS;
    }
  }
}
