/** Columns of a trend from buckets of history and live readings. */

import type { Bucket } from '@/api/types';

/** Spans that a trend can show, ms. */
export const SPANS = [10, 30, 60, 120, 360, 720, 1440, 4320].map((minutes) => minutes * 60_000);

const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
const POINTS = 400;

/** Seconds per bucket, so that a span has about as many buckets as a chart has room for. */
export function bucketFor(spanMs: number): number {
  const wanted = spanMs / 1000 / POINTS;
  return STEPS_S.find((step) => step >= wanted) ?? 3600;
}

/** The shortest span that covers `ms`, or the longest there is. */
export function spanFor(ms: number): number {
  return SPANS.find((span) => span >= ms) ?? SPANS.at(-1) ?? ms;
}

export interface Point {
  /** Source time, ms. */
  t: number;
  v: number | null;
}

/** Columns as uPlot takes them: time in s, minimum, maximum, mean. */
export type Columns = [number[], (number | null)[], (number | null)[], (number | null)[]];

/** A pause between two live readings that breaks the line. */
const LIVE_GAP_MS = 10_000;

class ColumnBuilder {
  readonly columns: Columns = [[], [], [], []];
  private last = -Infinity;
  private first = true;

  /** True if it comes after everything so far: a chart's times must rise. */
  isNext(t: number): boolean {
    return t > this.last;
  }

  /** `gap`: how far from the one before it may be for a line to join them. */
  add(t: number, [min, max, mean]: [number | null, number | null, number | null], gap: number): void {
    if (!this.first && t - this.last > gap) this.append((this.last + t) / 2, null, null, null);
    this.append(t, min, max, mean);
    this.last = t;
    this.first = false;
  }

  private append(t: number, min: number | null, max: number | null, mean: number | null): void {
    this.columns[0].push(t / 1000);
    this.columns[1].push(min);
    this.columns[2].push(max);
    this.columns[3].push(mean);
  }
}

/**
 * Buckets, then the live readings that are later than the last of them. Where buckets are missing the line is broken:
 * what was not measured is not drawn.
 */
export function columnsOf(buckets: readonly Bucket[], live: readonly Point[], bucketSeconds: number): Columns {
  const gap = Math.max(2.5 * bucketSeconds * 1000, LIVE_GAP_MS);
  const builder = new ColumnBuilder();
  for (const bucket of buckets) {
    const t = Date.parse(bucket.t);
    if (bucket.count > 0 && builder.isNext(t)) builder.add(t, [bucket.min, bucket.max, bucket.mean], gap);
  }
  for (const { t, v } of live) {
    if (builder.isNext(t)) builder.add(t, [v, v, v], gap);
  }
  return builder.columns;
}

/** Range of the value axis: everything drawn and every limit, with some air. */
export function valueRange(columns: Columns, limits: readonly number[]): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  // No copy of the columns, which may be as long as a day has seconds.
  for (const column of [columns[1], columns[2], limits]) {
    for (const value of column) {
      if (value === null) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  if (low > high) return [0, 1];
  const air = (high - low || Math.abs(high) || 1) * 0.08;
  return [low - air, high + air];
}
