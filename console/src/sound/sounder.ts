/** Plays what is due, again and again, and says what is to be said between two patterns. No DOM, no Vue. */

import { rank } from '@/alarms/grades';
import { NOTHING, isNew, type Due, type Part } from '@/sound/due';
import { PERIOD_MS, lengthOf, patternOf, type Note, type Tone } from '@/sound/patterns';

/** A new alarm of no higher grade starts a pattern at once, but not within the one that sounds. */
const PAUSE_MS = 2_000;
/** Between the last note and the first word, and the other way round. */
const BREATH_MS = 300;

export interface Outlets {
  play(pattern: readonly Note[], part: Part): void;
  /** Nothing more is to be heard, neither tone nor word. */
  hush(): void;
  /** Says what is to be said now, if anything is; true: something was. Ends by itself in any case. */
  say(): Promise<boolean>;
  /** Milliseconds of a clock that never steps. */
  now(): number;
}

function weight(tone: Tone): number {
  return tone === 'lost' ? rank('yellow') : rank(tone);
}

function urgency(due: Due): number {
  return Math.max(0, ...due.parts.map(({ tone }) => weight(tone)));
}

export class Sounder {
  private readonly outlets: Outlets;
  private due: Due = NOTHING;
  private turn = 0;
  private turnedAt = -Infinity;
  /** Tells a turn that went on while another began that it is over. */
  private round = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private speaking = false;

  constructor(outlets: Outlets) {
    this.outlets = outlets;
  }

  /** What is due has changed, or not. */
  update(due: Due): void {
    const before = this.due;
    this.due = due;
    if (due.parts.length === 0) {
      if (before.parts.length > 0) this.stop();
      return;
    }
    if (before.parts.length === 0 || urgency(due) > urgency(before)) {
      this.turn = due.parts.findIndex(({ tone }) => weight(tone) === urgency(due));
      this.start();
      return;
    }
    if (urgency(due) < urgency(before)) this.outlets.hush();
    // A flood of equal alarms cuts no word off: what is new is said next.
    if (!this.speaking && this.outlets.now() - this.turnedAt > PAUSE_MS && isNew(due, before)) this.start();
  }

  /** Begins anew: the browser lets sound through now. */
  restart(): void {
    if (this.due.parts.length > 0) this.start();
  }

  stop(): void {
    this.due = NOTHING;
    this.round += 1;
    this.speaking = false;
    clearTimeout(this.timer);
    this.outlets.hush();
  }

  private start(): void {
    this.outlets.hush();
    this.next();
  }

  private next(): void {
    clearTimeout(this.timer);
    this.round += 1;
    this.speaking = false;
    const { parts } = this.due;
    const part = parts[this.turn % parts.length];
    if (part === undefined) return;
    this.turn += 1;
    const pattern = patternOf(part.tone, part.drill);
    this.turnedAt = this.outlets.now();
    this.outlets.play(pattern, part);
    const { round } = this;
    this.timer = setTimeout(() => void this.speak(round), lengthOf(pattern) + BREATH_MS);
  }

  private async speak(round: number): Promise<void> {
    this.speaking = true;
    const spoke = await this.outlets.say();
    if (round !== this.round) return;
    this.speaking = false;
    const period = Math.min(...this.due.parts.map(({ tone }) => PERIOD_MS[tone]));
    const left = this.turnedAt + period - this.outlets.now();
    this.timer = setTimeout(
      () => {
        this.next();
      },
      Math.max(left, spoke ? BREATH_MS : 0),
    );
  }
}
