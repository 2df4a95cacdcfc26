/** Alarms of before and after, as spans on the trend and as a list of differences. */

import type { Comparison, Episode, RuleOutcome } from '@/api/types';

export const DIFFERENCES = ['added', 'removed', 'earlier', 'later', 'longer', 'shorter', 'merged', 'split'] as const;
export type Difference = (typeof DIFFERENCES)[number];

/** An alarm that is not as it was. Times in ms. */
export interface Changed {
  what: Difference;
  rule: string;
  entered: number;
  /** Null: still in at the end of what was looked at. */
  left: number | null;
  value: number | null;
  /** How much earlier, later, longer or shorter; 0 of those that are only in one. */
  by: number;
}

/** All differences, those of one rule or all, in the order of time. */
export function differences(comparison: Comparison): Changed[] {
  return DIFFERENCES.flatMap((what) =>
    comparison[what].map((episode) => ({
      what,
      rule: episode.rule,
      entered: Date.parse(episode.entered_at),
      left: episode.left_at === null ? null : Date.parse(episode.left_at),
      value: episode.value,
      by: 'by_ms' in episode && typeof episode.by_ms === 'number' ? episode.by_ms : 0,
    })),
  ).sort((a, b) => a.entered - b.entered);
}

/** An alarm on a lane, ms. */
export interface Bar {
  begin: number;
  end: number;
  /** Only this lane has it: added or removed. */
  only: boolean;
}

/**
 * Bars, placed in pixels, that can be told apart: those outside `first` to `last` are left out, none is narrower than
 * `least`, and of the same sort those that are nearer than that are drawn as one.
 */
export function merged(bars: readonly Bar[], first: number, last: number, least: number): Bar[] {
  const found: Bar[] = [];
  for (const { begin, end, only } of bars) {
    if (end < first || begin > last) continue;
    const left = Math.max(begin, first);
    const right = Math.max(Math.min(end, last), left + least);
    const before = found.at(-1);
    if (before?.only === only && left - before.end < least) before.end = Math.max(before.end, right);
    else found.push({ begin: left, end: right, only });
  }
  return found;
}

/** The lane of one rule. `only`: when those entered that the other lane does not have. */
function lane(outcome: RuleOutcome | undefined, only: ReadonlySet<number>, end: number): Bar[] {
  return (outcome?.episodes ?? []).map((episode: Episode) => {
    const begin = Date.parse(episode.entered_at);
    return { begin, end: episode.left_at === null ? end : Date.parse(episode.left_at), only: only.has(begin) };
  });
}

export interface Lanes {
  before: Bar[];
  after: Bar[];
}

export function lanesOf(comparison: Comparison | null, rule: string): Lanes {
  if (comparison === null) return { before: [], after: [] };
  const end = Date.parse(comparison.to);
  const entered = (what: 'added' | 'removed'): Set<number> =>
    new Set(comparison[what].filter((each) => each.rule === rule).map((each) => Date.parse(each.entered_at)));
  return {
    before: lane(comparison.before.rules[rule], entered('removed'), end),
    after: lane(comparison.after.rules[rule], entered('added'), end),
  };
}

/** What one rule did before and after; `before` is what it is where nothing is tried. */
export interface Outcome {
  rule: string;
  before: RuleOutcome;
  after: RuleOutcome;
}

export function outcomes(comparison: Comparison): Outcome[] {
  return Object.entries(comparison.before.rules).flatMap(([rule, before]) => {
    const after = comparison.after.rules[rule];
    return after === undefined ? [] : [{ rule, before, after }];
  });
}

/** What is shown of a trend so that an alarm fills its middle: ms, within the whole. */
export function around({ entered, left }: Changed, [first, last]: readonly [number, number]): [number, number] {
  const end = left ?? last;
  const room = Math.max(end - entered, 60_000);
  return [Math.max(first, entered - room), Math.min(last, end + room)];
}
