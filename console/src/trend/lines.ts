/** A tag's readings as the columns of a line, raw or in buckets, with their quality, continued by live readings. */

import { GOOD, UNCERTAIN } from '@/alarms/quality';
import type { Samples, Tag } from '@/api/types';

/** Buckets that a chart has room for: about one to a pixel. */
const BUCKETS = 1500;
/** Readings up to which they are asked for as they are. */
export const RAW_MOST = 4000;
const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400];
/** A line is broken where readings are missing for three periods; live ones come once a second at most. */
const PERIODS = 3;
const LEAST_GAP_MS = 2_500;
const BUCKETS_OF_GAP = 2.5;

/** Seconds per bucket of a window; 0: raw. */
export function stepFor(tag: Pick<Tag, 'period_ms'>, span: number): number {
  if (span / Math.max(1, tag.period_ms) <= RAW_MOST) return 0;
  return bucketStep(span);
}

/** Seconds per bucket of a window. */
export function bucketStep(span: number): number {
  return STEPS_S.find((step) => span / 1000 / step <= BUCKETS) ?? 86_400;
}

export interface LivePoint {
  /** Source time, ms. */
  t: number;
  v: number | null;
  q: number;
}

/** Columns of equal length. A row without a value and with the quality `SILENCE` breaks the line: nothing was heard. */
export interface Line {
  /** Seconds per bucket; 0: raw. */
  step: number;
  /** s since 1970, rising. */
  t: number[];
  min: (number | null)[];
  max: (number | null)[];
  mean: (number | null)[];
  quality: number[];
}

export const SILENCE = -1;

export function emptyLine(step: number): Line {
  return { step, t: [], min: [], max: [], mean: [], quality: [] };
}

type Row = readonly [at: number, min: number | null, max: number | null, mean: number | null, quality: number];

function append(line: Line, [at, min, max, mean, quality]: Row): void {
  line.t.push(at / 1000);
  line.min.push(min);
  line.max.push(max);
  line.mean.push(mean);
  line.quality.push(quality);
}

/** Adds what is later than the line so far, and breaks it where too much is missing. */
function extend(line: Line, rows: Iterable<Row>, period: number): void {
  const gap = Math.max(PERIODS * period, LEAST_GAP_MS, BUCKETS_OF_GAP * line.step * 1000);
  let last = (line.t.at(-1) ?? -Infinity) * 1000;
  for (const row of rows) {
    const [at] = row;
    if (at <= last) continue;
    if (line.t.length > 0 && at - last > gap) append(line, [(last + at) / 2, null, null, null, SILENCE]);
    append(line, row);
    last = at;
  }
}

/** `answer`: of the service for buckets of `step` seconds, or raw (0). */
export function lineOf({ buckets = [], samples = [] }: Partial<Samples>, step: number, tag: Pick<Tag, 'period_ms'>): Line {
  const line = emptyLine(step);
  extend(line, buckets.map(({ t, min, max, mean, q }) => [Date.parse(t), min, max, mean, q]), tag.period_ms);
  extend(line, samples.map(({ t, v, q }) => [Date.parse(t), v, v, v, q]), tag.period_ms);
  return line;
}

/** A line with what has come since. */
export function continued(line: Line, live: readonly LivePoint[], tag: Pick<Tag, 'period_ms'>): Line {
  const { step, t, min, max, mean, quality } = line;
  const longer = { step, t: [...t], min: [...min], max: [...max], mean: [...mean], quality: [...quality] };
  extend(longer, live.map(({ t: at, v, q }) => [at, v, v, v, q]), tag.period_ms);
  return longer;
}

/** First row whose time is not before `seconds`. */
function rowFrom(line: Line, seconds: number): number {
  let low = 0;
  let high = line.t.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((line.t[middle] ?? 0) < seconds) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The row under a cursor: the nearest that is no further than `reach` seconds and tells something. */
export function rowAt(line: Line, seconds: number, reach: number): number | null {
  const after = rowFrom(line, seconds);
  let found: number | null = null;
  let nearest = reach;
  for (const row of [after - 1, after]) {
    const at = line.t[row];
    if (at === undefined || line.quality[row] === SILENCE) continue;
    const distance = Math.abs(at - seconds);
    if (distance <= nearest) [found, nearest] = [row, distance];
  }
  return found;
}

/** Rows between two instants (s) that tell something. */
export function rowsWithin(line: Line, first: number, last: number): number[] {
  const rows: number[] = [];
  for (let row = rowFrom(line, first); row < line.t.length && (line.t[row] ?? 0) <= last; row += 1) {
    if (line.quality[row] !== SILENCE) rows.push(row);
  }
  return rows;
}

/** Values that no line joins to another, so that they have to be drawn as points. */
export function lonelyRows({ mean }: Line): number[] {
  const rows: number[] = [];
  for (let row = 0; row < mean.length; row += 1) {
    if (mean[row] !== null && (mean[row - 1] ?? null) === null && (mean[row + 1] ?? null) === null) rows.push(row);
  }
  return rows;
}

/** A time, s, in which the quality was not good. */
export interface Doubt {
  from: number;
  to: number;
  bad: boolean;
}

export function doubtsOf({ step, t, quality }: Line): Doubt[] {
  const doubts: Doubt[] = [];
  let open: Doubt | undefined;
  for (let row = 0; row < t.length; row += 1) {
    const at = t[row] ?? 0;
    const value = quality[row] ?? SILENCE;
    if (value === SILENCE || value >= GOOD) {
      open = undefined;
      continue;
    }
    const bad = value < UNCERTAIN;
    if (open?.bad === bad) {
      open.to = at + step;
    } else {
      open = { from: at, to: at + step, bad };
      doubts.push(open);
    }
  }
  return doubts;
}
