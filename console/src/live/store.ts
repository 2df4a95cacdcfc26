/** The live state that all pages share: connection, register of alarms and incidents, health. */

import { computed, inject, nextTick, onScopeDispose, shallowRef, triggerRef, type ComputedRef, type InjectionKey, type ShallowRef } from 'vue';

import { rank } from '@/alarms/grades';
import { Problem } from '@/api/client';
import { activeAlarms, openIncidents } from '@/api/endpoints';
import type { Entry, Health, LiveMessage } from '@/api/types';
import { CatchUp } from '@/live/catchup';
import type { ServiceClock } from '@/live/clock';
import { Directory } from '@/live/directory';
import { Duty } from '@/live/duty';
import { LiveConnection, type Listener, type Phase, type Surroundings } from '@/live/connection';
import type { Lists } from '@/live/lists';
import { Pacing } from '@/live/pacing';
import type { Readings } from '@/live/readings';
import { Register, together, type Missed } from '@/live/register';

const RELOAD_MS = 3_000;

type Message = Exclude<LiveMessage, { type: 'hello' }>;
type EntryMessage = Extract<LiveMessage, { type: 'entry' }>;
type BeyondMessage = Extract<LiveMessage, { type: 'beyond' }>;

export class LiveStore implements Listener {
  readonly connection: LiveConnection;
  readonly readings: Readings;
  readonly directory = new Directory();
  readonly duty = new Duty();
  readonly clock: ServiceClock;
  /** Replaced lists and applied entries trigger it. */
  readonly register: ShallowRef<Register> = shallowRef(new Register());
  readonly current = shallowRef<Phase>('connecting');
  /** Time of the last message before the service was lost, by the service's clock. */
  readonly lostSince = shallowRef(0);
  readonly health = shallowRef<Health | null>(null);
  readonly loaded = shallowRef(false);
  readonly loadFailure = shallowRef<Problem | null>(null);
  /** What the register is worth. */
  readonly lists: ComputedRef<Lists> = computed(() => {
    if (!this.loaded.value) return 'unread';
    return this.current.value === 'live' && !this.behind.value && this.loadFailure.value === null ? 'current' : 'old';
  });
  /** What happened during the last outage, until the officer has read it. */
  readonly missed = shallowRef<Missed | null>(null);

  private readonly watchers = new Set<(entry: Entry | null) => void>();
  private catchUp: CatchUp | null = null;
  private waiting: EntryMessage[] | null = null;
  private readonly pacing = new Pacing(() => {
    triggerRef(this.register);
  }, nextTick);
  private reloadTimer: ReturnType<typeof setTimeout> | undefined;
  private wasLost = false;
  /** Since the service said hello, its lists or the journal have not been read up to then. */
  private readonly behind = shallowRef(false);
  private loads = 0;
  private lastSequence = 0;

  constructor(around: Surroundings, readings: Readings, clock: ServiceClock) {
    this.connection = new LiveConnection(around, this);
    this.readings = readings;
    this.clock = clock;
    readings.onChange((tags) => {
      this.connection.subscribe(tags);
    });
  }

  start(): void {
    this.clock.start();
    this.connection.start();
    this.duty.start();
  }

  stop(): void {
    this.connection.stop();
    this.clock.stop();
    this.duty.stop();
    clearTimeout(this.reloadTimer);
    this.pacing.stop();
    this.loads += 1;
  }

  phase(phase: Phase, since: number): void {
    if (phase === 'lost') {
      this.wasLost = true;
      this.readings.interrupt();
      this.lostSince.value = this.clock.fromWall(since);
    }
    this.current.value = phase;
  }

  hello(message: Extract<LiveMessage, { type: 'hello' }>, fresh: boolean): void {
    this.clock.set(message.now);
    void this.duty.load();
    this.behind.value = true;
    if (fresh || !this.loaded.value) {
      this.lastSequence = message.sequence;
      void this.reload();
      void this.directory.load();
      return;
    }
    this.catchUp = new CatchUp(message.sequence);
    this.finishCatchUp(this.lastSequence);
  }

  message(message: Message): void {
    switch (message.type) {
      case 'health':
        this.clock.set(message.now);
        this.health.value = message;
        break;
      case 'readings':
        this.readings.take(message.items, this.clock.now());
        break;
      case 'beyond':
        this.pass(message);
        break;
      case 'entry':
        if (this.waiting === null) this.apply(message);
        else this.waiting.push(message);
        break;
    }
  }

  /** Takes over an answer of the API, which may be ahead of the WebSocket. */
  changed(change: (register: Register) => void): void {
    change(this.register.value);
    this.pacing.now();
  }

  /** Calls `watcher` with each journal entry, and with null when entries may have been missed. */
  onEntry(watcher: (entry: Entry | null) => void): void {
    this.watchers.add(watcher);
    onScopeDispose(() => {
      this.watchers.delete(watcher);
    });
  }

  private apply(message: EntryMessage): void {
    this.lastSequence = message.sequence;
    if (message.alarm !== null) this.register.value.applyAlarm(message.alarm);
    if (message.incident !== null) this.register.value.applyIncident(message.incident);
    if (this.catchUp?.count(message) === true) this.finishCatchUp(message.sequence);
    this.duty.take(message.entry);
    for (const watcher of this.watchers) watcher(message.entry);
    this.pacing.ask(message.entry.kind === 'alarm.entered' && rank(message.alarm?.grade ?? null) >= rank('orange'));
  }

  /** What happened is not for this account; where it concerns everybody, lists are loaded again. */
  private pass({ sequence, kinds }: BeyondMessage): void {
    this.lastSequence = sequence;
    this.finishCatchUp(sequence);
    if (kinds.length === 0) return;
    void this.directory.load();
    for (const watcher of this.watchers) watcher(null);
  }

  /** A resumed connection may have begun while lists were awaited. */
  private isCatchingUp(): boolean {
    return this.catchUp !== null;
  }

  private finishCatchUp(sequence: number): void {
    if (this.catchUp?.reached(sequence) !== true) return;
    this.report(this.catchUp.missed);
    this.catchUp = null;
    this.behind.value = false;
  }

  private report(missed: Missed): void {
    if (this.wasLost) this.missed.value = together(this.missed.value, missed);
    this.wasLost = false;
  }

  /** Loads both lists; entries that arrive meanwhile wait and are applied on top. */
  private async reload(): Promise<void> {
    clearTimeout(this.reloadTimer);
    this.catchUp = null;
    this.waiting = [];
    this.loads += 1;
    const load = this.loads;
    try {
      const [alarms, incidents] = await Promise.all([activeAlarms(), openIncidents()]);
      if (load !== this.loads) return;
      const missed = this.register.value.replace(alarms, incidents);
      if (this.loaded.value) this.report(missed);
      this.wasLost = false;
      this.loaded.value = true;
      this.loadFailure.value = null;
      this.behind.value = this.isCatchingUp();
      for (const watcher of this.watchers) watcher(null);
    } catch (error) {
      if (load !== this.loads) return;
      if (!(error instanceof Problem)) throw error;
      this.loadFailure.value = error;
      this.reloadTimer = setTimeout(() => void this.reload(), RELOAD_MS);
    }
    const waiting = this.waiting;
    this.waiting = null;
    for (const message of waiting) this.apply(message);
    this.pacing.now();
  }
}

export const LIVE: InjectionKey<LiveStore> = Symbol('live');

export function useLive(): LiveStore {
  const store = inject(LIVE);
  if (store === undefined) throw new Error('no live store was provided');
  return store;
}
