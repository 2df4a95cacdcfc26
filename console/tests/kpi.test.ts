import { describe, expect, it } from 'vitest';

import type { KeyFigures } from '@/api/types';
import { isPeriod, nameOf, periodOf, queryOf, requestOf, viewOf } from '@/kpi/address';
import { columnsOf, spread } from '@/kpi/days';
import { coverageOf, decimal, measuresOf, partsOf, percent } from '@/kpi/measures';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 5, 30);

describe('the address of figures', () => {
  it('is the last thirty days of all unless it says otherwise', () => {
    expect(viewOf({ days: '5', scope: 'desk' })).toEqual({ scope: 'all', id: '', days: 30, from: '', to: '' });
    const view = { scope: 'region' as const, id: '370783', days: 7, from: '', to: '' };
    expect(viewOf(queryOf(view))).toEqual(view);
    expect(requestOf(view, NOW)).toEqual({ scope: 'region', id: '370783', start: '2026-06-23T00:00:00.000Z', end: '2026-06-30T00:00:00.000Z' });
  });

  it('takes whole local days', () => {
    const view = viewOf({ from: '2026-06-01', to: '2026-06-02', days: '7' });
    expect(periodOf(view, NOW)).toEqual([new Date(2026, 5, 1).getTime(), new Date(2026, 5, 3).getTime()]);
    expect(viewOf(queryOf(view))).toEqual(view);
    expect(isPeriod('2026-06-02', '2026-06-01')).toBe(false);
    expect(isPeriod('2024-01-01', '2026-06-01')).toBe(false);
    expect(viewOf({ from: '2026-13-01', to: '2026-06-02' }).days).toBe(30);
  });

  it('names a file without what a disk refuses', () => {
    expect(nameOf({ scope: 'enterprise', id: 'a/b', days: 7, from: '', to: '' }, '2026-06-01T00:00:00', '2026-06-08T00:00:00')).toBe('kpi-a_b-20260601-20260608');
  });
});

it('tells small shares as what they are', () => {
  expect([percent(0), percent(0.00001), percent(0.12345), percent(1), percent(null)]).toEqual(['0 %', '< 0.01 %', '12.35 %', '100 %', '—']);
  expect([decimal(0), decimal(0.001), decimal(1.005), decimal(3)]).toEqual(['0', '< 0.01', '1', '3']);
});

describe('coverage', () => {
  const figures = (days: number): KeyFigures => ({ start: new Date(NOW - days * DAY).toISOString(), days, graded: days >= 30, graded_from_days: 30 }) as KeyFigures;

  it('says since when the journal is, and when it can be graded', () => {
    expect(coverageOf(figures(10), [NOW - 30 * DAY, NOW], NOW)).toEqual({ asked: 30, days: 10, cut: true, graded: false, gradedFrom: NOW + 20 * DAY });
  });

  it('asks for a longer period where the journal has one', () => {
    expect(coverageOf(figures(7), [NOW - 7 * DAY, NOW], NOW)).toMatchObject({ cut: false, graded: false, gradedFrom: null });
    expect(coverageOf(figures(30), [NOW - 30 * DAY, NOW + DAY], NOW)).toMatchObject({ asked: 30, graded: true, gradedFrom: null });
  });
});

it('takes a path apart, and a day together', () => {
  expect(partsOf('works/a/b/HH')).toEqual({ enterprise: 'works', tag: 'a/b', rule: 'HH' });
  expect(columnsOf([{ start: '2026-06-01T00:00:00Z', blue: 4, yellow: 3, orange: 2, red: 1 }]).slice(1)).toEqual([[10], [3], [1]]);
});

it('names days below their bars, and no more than there is room for', () => {
  expect(spread([], 10)).toEqual([]);
  expect(spread([5], 0.5)).toEqual([5]);
  expect(spread([1, 2, 3, 4, 5, 6, 7], 3)).toEqual([1, 4, 7]);
  expect(spread([1, 2, 3], 3)).toEqual([1, 2, 3]);
});

it('has a measure for each that is graded', () => {
  const met = { average: true, busy: null, flood: false, top_ten: true, chattering: true, fleeting: true, stale: true, priorities: true, unsigned_suppressions: true, unsigned_changes: true, online: true };
  const figures = {
    met, average_per_ten_minutes: 0.5, peak_per_ten_minutes: 12, busy_share: 0, floods: [], flood_share: 0.02, top_ten_share: 0.5, chattering: [], fleeting: [],
    stale_per_day: { mean: 0, most: 0 }, priorities: { blue: { alarms: 1, share: 1 } }, unsigned_suppressions: 0, unsigned_changes: 0, online_rate: null, gateways: 0,
    targets: { average: 1, manageable: 2, busy_above: 10, busy: 0.01, flood: 0.01, top_ten: 0.05, fleeting_within: 60, stale: 5, priorities: { blue: 0.8 }, online: 0.995 },
  } as unknown as KeyFigures;
  const measures = measuresOf(figures);
  expect(measures.map(({ name }) => name).sort()).toEqual(Object.keys(met).sort());
  expect(measures.filter((one) => one.met === false)).toEqual([{ name: 'flood', value: { n: 0, share: '2 %' }, target: { share: '1 %' }, met: false }]);
});
