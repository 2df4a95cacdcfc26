import { describe, expect, it } from 'vitest';

import { enlarged } from '@/trend/enlarged';
import { bucketFor, columnsOf, SPANS, spanFor, valueRange } from '@/trend/series';

const bucket = (second: number, value: number, count = 1) => ({
  t: new Date(second * 1000).toISOString(),
  min: value - 1,
  max: value + 1,
  mean: value,
  count,
  q: 192,
});

describe('trend', () => {
  it('chooses buckets that fill a chart, and a span that covers what happened', () => {
    expect(bucketFor(10 * 60_000)).toBe(2);
    expect(bucketFor(24 * 3_600_000)).toBe(300);
    for (const span of SPANS) expect(span / 1000 / bucketFor(span)).toBeLessThanOrEqual(432);
    expect(spanFor(0)).toBe(10 * 60_000);
    expect(spanFor(11 * 60_000)).toBe(30 * 60_000);
    expect(spanFor(1e12)).toBe(SPANS.at(-1));
  });

  it('is enlarged with its axes, lines and dashes', () => {
    const axes = [{ size: 30 }, { label: 'mg/m³' }];
    const plot = enlarged({ width: 900, height: 300, axes, series: [{}, { width: 1.5, dash: [8, 4] }] }, 1.5);
    expect([plot.width, plot.height]).toEqual([900, 300]);
    expect(plot.axes).toMatchObject([
      { size: 45, space: 75, font: '18px sans-serif' },
      { size: 75, labelSize: 45, space: 45, ticks: { size: 15 } },
    ]);
    expect(plot.series[1]).toMatchObject({ width: 2.25, dash: [12, 6] });
  });

  it('continues history with live readings', () => {
    const columns = columnsOf([bucket(10, 5), bucket(12, 6)], [{ t: 11_000, v: 99 }, { t: 13_000, v: 7 }], 2);
    expect(columns[0]).toEqual([10, 12, 13]);
    expect(columns[1]).toEqual([4, 5, 7]);
    expect(columns[2]).toEqual([6, 7, 7]);
    expect(columns[3]).toEqual([5, 6, 7]);
  });

  it('breaks the line where nothing was measured', () => {
    const columns = columnsOf([bucket(10, 5), bucket(60, 6)], [{ t: 61_000, v: null }, { t: 90_000, v: 1 }], 2);
    expect(columns[3]).toEqual([5, null, 6, null, null, 1]);
    expect([...columns[0]].sort((a, b) => a - b)).toEqual(columns[0]);
  });

  it('leaves empty buckets out', () => {
    expect(columnsOf([bucket(10, 5, 0)], [], 2)[0]).toEqual([]);
  });

  it('shows every limit, with air', () => {
    const columns = columnsOf([bucket(10, 5)], [], 2);
    const [low, high] = valueRange(columns, [10, 20]);
    expect(low).toBeLessThan(4);
    expect(high).toBeGreaterThan(20);
    expect(valueRange([[], [], [], []], [])).toEqual([0, 1]);
    const flat = valueRange([[1], [3], [3], [3]], []);
    expect(flat[1]).toBeGreaterThan(flat[0]);
  });
});
