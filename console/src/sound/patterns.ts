/**
 * The tones: how many pulses, how high, how loud, and how long until the next. After IEC 60601-1-8 the most urgent is a
 * burst of ten pulses, the next of three, then two and one; the figures themselves are ours.
 */

import type { Grade } from '@/api/types';

export interface Note {
  /** Milliseconds after the pattern's start. */
  at: number;
  /** Milliseconds. */
  length: number;
  /** Hertz; `to`: where it glides to. */
  frequency: number;
  to?: number;
  wave: OscillatorType;
  /** Share of the full volume, 0 to 1. */
  gain: number;
}

/** What may sound: a grade, or that the console knows nothing any more. */
export const TONES = ['red', 'orange', 'yellow', 'blue', 'lost'] as const satisfies readonly (Grade | 'lost')[];
export type Tone = (typeof TONES)[number];

interface Pulses {
  at: readonly number[];
  length: number;
  frequencies: readonly number[];
  wave: OscillatorType;
  gain: number;
}

function pulses({ at, length, frequencies, wave, gain }: Pulses): Note[] {
  return at.map((start, index) => ({
    at: start,
    length,
    frequency: frequencies[index % frequencies.length] ?? 440,
    wave,
    gain,
  }));
}

const PATTERNS: Readonly<Record<Tone, readonly Note[]>> = {
  red: pulses({
    at: [0, 140, 280, 480, 620, 900, 1040, 1180, 1380, 1520],
    length: 110,
    frequencies: [988, 1319],
    wave: 'square',
    gain: 1,
  }),
  orange: pulses({ at: [0, 240, 480], length: 190, frequencies: [659, 784, 988], wave: 'square', gain: 0.6 }),
  yellow: pulses({ at: [0, 320], length: 230, frequencies: [587], wave: 'triangle', gain: 0.6 }),
  blue: pulses({ at: [0], length: 320, frequencies: [440], wave: 'sine', gain: 0.5 }),
  lost: [0, 560].map((at) => ({ at, length: 480, frequency: 740, to: 247, wave: 'sawtooth', gain: 0.7 })),
};

/** Two low knocks before a pattern: nothing of this is real. */
const DRILL: readonly Note[] = pulses({ at: [0, 180], length: 80, frequencies: [220], wave: 'sine', gain: 0.7 });
const AFTER_KNOCKS_MS = 420;

/** Milliseconds from the start of one pattern to the start of the next. */
export const PERIOD_MS: Readonly<Record<Tone, number>> = {
  red: 2_500,
  orange: 5_000,
  yellow: 10_000,
  blue: 20_000,
  lost: 8_000,
};

export function patternOf(tone: Tone, drill = false): readonly Note[] {
  if (!drill) return PATTERNS[tone];
  return [...DRILL, ...PATTERNS[tone].map((note) => ({ ...note, at: note.at + AFTER_KNOCKS_MS }))];
}

/** Milliseconds until the last note has ended. */
export function lengthOf(pattern: readonly Note[]): number {
  return Math.max(0, ...pattern.map((note) => note.at + note.length));
}

/** Shares of the full volume. Below the least a tone would be lost in a control room. */
export const LEAST_VOLUME = 0.3;
export const USUAL_VOLUME = 0.8;

/** A stored or chosen volume, brought into what is allowed. */
export function volumeOf(value: number): number {
  return Number.isFinite(value) ? Math.min(1, Math.max(LEAST_VOLUME, value)) : USUAL_VOLUME;
}
