/** The service's clock as the browser knows it: ages and the displayed time follow it, not the desk's computer. */

import { shallowRef } from 'vue';

/** Differences below this are the network's, not the clock's. */
const JITTER_MS = 400;

export class ServiceClock {
  /** Milliseconds since 1970 by the service's clock; ticks each second. */
  readonly tick = shallowRef(Date.now());
  private offset = 0;
  private timer: ReturnType<typeof setInterval> | undefined;

  start(): void {
    this.timer = setInterval(() => {
      this.tick.value = this.now();
    }, 1_000);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  now(): number {
    return Date.now() + this.offset;
  }

  /** An instant of the browser's clock by the service's. */
  fromWall(milliseconds: number): number {
    return milliseconds + this.offset;
  }

  /** `instant`: what the service says that it is now. */
  set(instant: string): void {
    const offset = Date.parse(instant) - Date.now();
    if (Math.abs(offset - this.offset) < JITTER_MS) return;
    this.offset = offset;
    this.tick.value = this.now();
  }
}
