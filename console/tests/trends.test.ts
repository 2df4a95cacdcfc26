import { describe, expect, it } from 'vitest';

import type { Samples } from '@/api/types';
import { liveSpan, queryOf, shifted, viewOf, zoomed } from '@/trend/address';
import { csvOf, fileName, isoLocal } from '@/trend/csv';
import { bucketStep, continued, doubtsOf, lineOf, lonelyRows, rowAt, rowsWithin, SILENCE, stepFor } from '@/trend/lines';
import { marksOf } from '@/trend/marks';
import { joined, rangeOf, shapeOf, unitsOf, type Pen } from '@/trend/overlay';
import { plotOptions } from '@/trend/plot';
import { found } from '@/trend/searching';

import { alarm, entry, tag } from './samples';

const HOUR = 3_600_000;
const T0 = Date.parse('2026-06-08T02:30:00Z');

type Answer = Partial<Samples>;

const at = (second: number): string => new Date(second * 1000).toISOString();
const raw = (...rows: [second: number, value: number | null, quality?: number][]): Answer => ({
  samples: rows.map(([second, v, q = 192]) => ({ t: at(second), received: at(second), v, q })),
});
const pen = (number: number, unit: string, answer: Answer, step = 0, limits: Pen['tag']['limits'] = []): Pen => {
  const of = tag({ engineering_unit: unit, tag: `T-${number}`, limits });
  return { number, tag: of, line: lineOf(answer, step, of), marks: [] };
};

describe('the address of a trend', () => {
  it('holds tags and time, live and back in time', () => {
    for (const view of [
      { tags: ['a/GT-101', 'b/压力 1/2'], span: 8 * HOUR, end: null },
      { tags: ['a/x'], span: 90_000, end: T0 },
    ]) {
      expect(viewOf(queryOf(view))).toEqual(view);
    }
  });

  it('takes nothing that it cannot show', () => {
    const many = Array.from({ length: 12 }, (_, index) => `a/${index}`);
    expect(viewOf({ tag: [...many, 'a/1', null, 'nothing', '/x', 'a/'] }).tags).toEqual(many.slice(0, 8));
    expect(viewOf({ span: '3y', from: 'never', to: '2026' })).toEqual({ tags: [], span: HOUR, end: null });
    expect(viewOf({ from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z' }).end).toBeNull();
    expect(viewOf({ from: '1900-01-01T00:00:00Z', to: '2026-01-01T00:00:00Z' }).end).toBeNull();
  });

  it('moves and zooms, and is never ahead of the clock', () => {
    const live = { tags: [], span: HOUR, end: null };
    const before = shifted(live, -1, T0);
    expect(before).toEqual({ ...live, end: T0 - HOUR / 2 });
    expect(shifted(before, 1, T0)).toEqual(live);
    expect(zoomed(before, 0.5, T0)).toEqual({ tags: [], span: HOUR / 2, end: T0 - HOUR * 0.75 });
    expect(zoomed(before, 8, T0).end).toBe(T0);
    expect(zoomed(before, 1e-9, T0).span).toBe(5_000);
    expect(liveSpan(10 * 60_000)).toBe(15 * 60_000);
    expect(liveSpan(1e12)).toBe(7 * 24 * HOUR);
  });
});

describe('the marks of a tag', () => {
  const entered = (id: number, second: number, version = 1): ReturnType<typeof entry> =>
    entry({ alarm: id, data: { source_time: T0 + second * 1000, grade: 'yellow', rule_version: version } });
  const own = tag({ limits: [{ key: 'HH', on_delay_ms: 30_000, version: 1 } as Pen['tag']['limits'][number]] });
  const again = alarm({ id: 1, rule: 'HH', grade: 'orange', entered_at: new Date(T0 + 60_000).toISOString(), rule_version: 1 });

  it('are each time that an alarm entered, the last once, and not those of others', () => {
    const entries = [entered(1, 60), entered(1, 0), entered(2, 5), entry({ alarm: 1, kind: 'alarm.returned', data: { source_time: T0 } })];
    expect(marksOf(own, [again], entries)).toEqual([
      { at: T0 + 60_000, grade: 'orange', delay: 30_000 },
      { at: T0, grade: 'yellow', delay: 30_000 },
    ]);
    expect(marksOf(own, [again])).toHaveLength(1);
    expect(marksOf(own, [alarm({ kind: 'vote' })])).toEqual([]);
  });

  it('have the delay of the rule as it was then, else none', () => {
    const [, before] = marksOf(own, [again], [entered(1, 60), entered(1, 0, 7)]);
    expect(before).toEqual({ at: T0, grade: 'yellow', delay: 0 });
    expect(marksOf(own, [alarm({ rule: 'STALE' })])[0]?.delay).toBe(0);
  });
});

describe('the plot of one tag', () => {
  it('draws lowest and highest, so that a spike of one reading keeps its height', () => {
    const { series } = plotOptions({
      width: 1, height: 1, columns: () => [[], [], [], []], limits: () => [], marks: () => [], window: () => [0, 1],
      colour: (name) => name,
    });
    expect(series.slice(1).map(({ stroke }) => stroke)).toEqual(['--text-dim', '--text-dim', '--text']);
  });
});

describe('a line', () => {
  it('is raw as long as a chart can hold it', () => {
    expect(stepFor({ period_ms: 1000 }, HOUR)).toBe(0);
    expect(stepFor({ period_ms: 1000 }, 8 * HOUR)).toBe(30);
    expect(stepFor({ period_ms: 60_000 }, 24 * HOUR)).toBe(0);
    for (let span = 60_000; span < 400 * 24 * HOUR; span *= 1.7) expect(span / 1000 / bucketStep(span)).toBeLessThanOrEqual(1500);
  });

  it('keeps the lowest and highest of every bucket', () => {
    const bucket = { t: at(60), min: -3, max: 97, mean: 5, count: 60, q: 64 };
    const line = lineOf({ buckets: [bucket] }, 60, tag());
    expect([line.min, line.max, line.mean, line.quality]).toEqual([[-3], [97], [5], [64]]);
  });

  it('is broken by silence and by readings without a value, which are not the same', () => {
    const line = lineOf(raw([1, 5], [2, null, 0], [3, 6], [60, 7]), 0, tag());
    expect(line.mean).toEqual([5, null, 6, null, 7]);
    expect(line.quality).toEqual([192, 0, 192, SILENCE, 192]);
    expect(lonelyRows(line)).toEqual([0, 2, 4]);
    expect(lineOf(raw([1, 5], [60, 7]), 0, tag({ period_ms: 60_000 })).mean).toEqual([5, 7]);
  });

  it('goes on with live readings that are later', () => {
    const line = lineOf(raw([1, 5], [2, 6]), 0, tag());
    const live = [{ t: 2000, v: 99, q: 192 }, { t: 3000, v: 7, q: 0 }];
    expect(continued(line, live, tag()).mean).toEqual([5, 6, 7]);
    expect(line.mean).toEqual([5, 6]);
  });

  it('tells what stands under a cursor', () => {
    const line = lineOf(raw([10, 1], [11, 2], [100, 3]), 0, tag());
    expect(rowAt(line, 10.6, 3)).toBe(1);
    expect(rowAt(line, 55.5, 3)).toBeNull();
    expect(rowAt(line, 102, 3)).toBe(3);
    expect(rowAt(lineOf({}, 0, tag()), 1, 3)).toBeNull();
    expect(rowsWithin(line, 11, 100)).toEqual([1, 3]);
  });

  it('says when its quality was doubtful', () => {
    const line = lineOf(raw([1, 5], [2, 5, 64], [3, 5, 64], [4, null, 0], [5, 5], [6, 5, 0]), 0, tag());
    expect(doubtsOf(line)).toEqual([
      { from: 2, to: 3, bad: false },
      { from: 4, to: 4, bad: true },
      { from: 6, to: 6, bad: true },
    ]);
  });
});

describe('several pens in one plot', () => {
  const limit = { key: 'HH', kind: 'high', level: 'HH', setpoint: 80 } as Pen['tag']['limits'][number];
  const bucket = { t: at(1), min: -40, max: 50, mean: 1, count: 9, q: 192 };
  const pens = [pen(1, 'degC', raw([1, 5], [3, 6]), 0, [limit]), pen(2, 'kPa', { buckets: [bucket] }, 60), pen(3, 'degC', raw([2, 9]))];

  it('have a scale per unit, with every value and every limit that is drawn', () => {
    expect(unitsOf(pens)).toEqual(['degC', 'kPa']);
    const [low, high] = rangeOf(pens, 'degC', true);
    expect(low).toBeLessThan(5);
    expect(high).toBeGreaterThan(80);
    expect(rangeOf(pens, 'degC', false)[1]).toBeLessThan(10);
    expect(rangeOf(pens, 'kPa', true)[0]).toBeLessThan(-40);
    expect(rangeOf([], 'kPa', true)).toEqual([0, 1]);
  });

  it('share one column of time, and break no line of another', () => {
    expect(joined(pens)).toEqual([
      [1, 2, 3],
      [5, undefined, 6],
      [-40, undefined, undefined],
      [50, undefined, undefined],
      [1, undefined, undefined],
      [undefined, 9, undefined],
    ]);
    expect(joined([])).toEqual([[]]);
    expect(shapeOf(pens)).not.toBe(shapeOf(pens.slice(1)));
  });
});

describe('export', () => {
  const of = pen(1, 'mg/m3', raw([10, 1.25], [11, null, 0], [99, 3]));
  const text = csvOf({
    head: ['a', 'b'],
    pens: [{ enterprise: '华瑞, "化工"', tag: '=cmd|calc', description: '-1# 泵\n东', unit: 'mg/m³', line: of.line }],
    window: [0, 50_000],
    quality: (quality) => (quality === 192 ? '好' : '坏'),
  });

  it('is what Excel opens as it is meant', () => {
    expect(text.startsWith('\uFEFFa,b\r\n')).toBe(true);
    const names = `"华瑞, ""化工""",'=cmd|calc,"'-1# 泵\n东",mg/m³`;
    expect(text.slice(6)).toBe(`${isoLocal(10_000)},${names},1.25,1.25,1.25,好,\r\n${isoLocal(11_000)},${names},,,,坏,\r\n`);
  });

  it('tells times with their offset', () => {
    expect(isoLocal(T0 + 7)).toMatch(/^2026-06-0\dT\d\d:\d\d:00\.007[+-]\d\d:\d\d$/);
    expect(Date.parse(isoLocal(T0 + 7))).toBe(T0 + 7);
    expect(fileName(T0)).toMatch(/^trend-2026060\d-\d{6}$/);
  });
});

describe('search', () => {
  const all = ['XGT-1', 'GT-101', 'TI-7'].map((name, index) => ({
    tag: tag({ tag: name, engineering_unit: index === 2 ? 'degC' : 'mg/m3' }),
    place: '华瑞 · 罐区',
    description: index === 1 ? '泵东' : '',
  }));
  const names = (text: string): string[] => found(all, text, 9).shown.map((one) => one.tag.tag);

  it('wants every word anywhere, and names that begin so first', () => {
    expect(names('gt-1')).toEqual(['GT-101', 'XGT-1']);
    expect(names('罐区 东')).toEqual(['GT-101']);
    expect(names('°C')).toEqual(['TI-7']);
    expect(found(all, '', 1)).toMatchObject({ more: 2 });
  });
});
