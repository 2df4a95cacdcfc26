/** A response plan as a ladder: what happens when, from the beginning of a tier. Spans in ms. */

import type { Plan } from '@/api/types';

export const TIERS = ['blue', 'yellow', 'orange', 'red', 'command'] as const;
export type Tier = (typeof TIERS)[number];

export interface Told {
  who: Who;
  /** Channels in order; empty: all. */
  by: string[];
  /** Told only if those of that rung have not acknowledged. */
  ifNot: Who | null;
}

export type Rung =
  | { kind: 'tell'; at: number; told: Told[] }
  | { kind: 'callBack' | 'feedback'; at: number }
  /** Told again as often. */
  | { kind: 'repeat'; at: number; every: number }
  /** Not acknowledged by then: the next tier; null: there is none above. */
  | { kind: 'acknowledge'; at: number; next: { from: Tier; to: Tier | null }[] };

export type Who = { contact: string } | { post: string; of: string };

/** `post@place` or a contact's id. */
export function whoOf(text: string): Who {
  const at = text.lastIndexOf('@');
  return at <= 0 ? { contact: text } : { post: text.slice(0, at), of: text.slice(at + 1) };
}

const ORDER: Record<Rung['kind'], number> = { tell: 0, callBack: 1, acknowledge: 2, repeat: 3, feedback: 4 };
/** Tiers at which those told last are told again. */
const REPEATED: ReadonlySet<Tier> = new Set(['orange', 'red', 'command']);

export function ladderOf(plan: Plan): Rung[] {
  const rungs: Rung[] = [];
  const times = new Map<number, Told[]>();
  for (const step of plan.steps) {
    const parent = step.follows === null ? undefined : plan.steps[step.follows];
    const told = { who: whoOf(step.who), by: step.by, ifNot: parent === undefined ? null : whoOf(parent.who) };
    times.set(step.after_ms, [...(times.get(step.after_ms) ?? []), told]);
  }
  for (const [at, told] of times) rungs.push({ kind: 'tell', at, told });
  if (plan.call_back_ms !== null) rungs.push({ kind: 'callBack', at: plan.call_back_ms });
  const next = plan.grades.map((from) => ({ from, to: TIERS[TIERS.indexOf(from) + 1] ?? null }));
  rungs.push({ kind: 'acknowledge', at: plan.acknowledge_ms, next });
  if (plan.repeat_ms !== null && plan.repeat_ms > 0 && plan.grades.some((grade) => REPEATED.has(grade))) {
    const last = Math.max(0, ...times.keys());
    rungs.push({ kind: 'repeat', at: last + plan.repeat_ms, every: plan.repeat_ms });
  }
  rungs.push({ kind: 'feedback', at: plan.feedback_ms });
  return rungs.sort((one, other) => one.at - other.at || ORDER[one.kind] - ORDER[other.kind]);
}

/** A span in the largest unit that it is a whole number of. */
export function spanOf(ms: number): { unit: 'seconds' | 'minutes' | 'hours' | 'days'; n: number } {
  const seconds = ms / 1000;
  if (seconds >= 86_400 && seconds % 86_400 === 0) return { unit: 'days', n: seconds / 86_400 };
  if (seconds >= 3600 && seconds % 3600 === 0) return { unit: 'hours', n: seconds / 3600 };
  if (seconds >= 60 && seconds % 60 === 0) return { unit: 'minutes', n: seconds / 60 };
  return { unit: 'seconds', n: seconds };
}

/** What of a minute shows as much as a whole one more does at a day's end. */
const SOON = 30_000;

/** Places of moments on a line from 0 to 1: seconds and days on one, each at least `apart` from the one before it. */
export function placesOf(times: readonly number[], apart: number): number[] {
  const last = Math.log1p(Math.max(1, ...times) / SOON);
  const places: number[] = [];
  for (const time of times) {
    const before = places.at(-1);
    const wanted = Math.log1p(time / SOON) / last;
    places.push(before === undefined ? wanted : Math.max(wanted, before + apart));
  }
  // Where the last ones were pushed beyond the end, all is drawn closer together.
  const end = places.at(-1) ?? 1;
  return end > 1 ? places.map((place) => place / end) : places;
}
