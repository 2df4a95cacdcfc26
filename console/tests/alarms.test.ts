import { describe, expect, it } from 'vitest';

import { graverBefore, gravest } from '@/alarms/grades';
import { hold } from '@/alarms/holding';
import { countByGrade, EVERYTHING as ALL, orderedAlarms, orderedIncidents, type Filter } from '@/alarms/ordering';
import { nextAct } from '@/alarms/states';
import { tagView } from '@/alarms/tagStatus';
import { anchoredScroll, seated, steady, windowOf } from '@/alarms/windowing';

import { alarm, incident, tag } from './samples';

const none = (): null => null;
const at = (second: number): string => `2026-06-08T02:30:${String(second).padStart(2, '0')}.000Z`;

describe('order and filter', () => {
  it('puts unacknowledged first, then the graver, then the newer', () => {
    const list = [
      alarm({ id: 1, grade: 'red', state: 'acknowledged', entered_at: at(50) }),
      alarm({ id: 2, grade: 'blue', entered_at: at(10) }),
      alarm({ id: 3, grade: 'orange', state: 'returned_unacknowledged', entered_at: at(5) }),
      alarm({ id: 4, grade: 'blue', state: 'latched_unacknowledged', entered_at: at(20) }),
      alarm({ id: 5, grade: 'blue', entered_at: at(10) }),
    ];
    expect(orderedAlarms(list, ALL, none).map((one) => one.id)).toEqual([3, 4, 5, 2, 1]);
  });

  it('filters by grade, state, place, hazard level and measurand', () => {
    const list = [
      alarm({ id: 1, grade: 'red' }),
      alarm({ id: 2, enterprise: 'jinhe' }),
      alarm({ id: 3, state: 'acknowledged' }),
      alarm({ id: 4, region: '370784', hazard_level: null, measurand: 'co', state: 'acknowledged' }),
    ];
    const ids = (filter: Partial<Filter>): number[] => orderedAlarms(list, { ...ALL, ...filter }, none).map((one) => one.id);
    expect(ids({ grades: new Set(['red'] as const) })).toEqual([1]);
    expect(ids({ enterprise: 'jinhe' })).toEqual([2]);
    expect(ids({ state: 'acknowledged' })).toEqual([4, 3]);
    expect(ids({ region: '370784' })).toEqual([4]);
    expect(ids({ hazard: 0 })).toEqual([4]);
    expect(ids({ hazard: 2, state: 'acknowledged' })).toEqual([3]);
    expect(ids({ measurand: 'co' })).toEqual([4]);
    expect(ids({ state: 'any_unacknowledged' })).toEqual([1, 2]);
  });

  it('shows with a grade the alarms of incidents that have it', () => {
    const list = [alarm({ id: 1, grade: 'blue', incident: 7 }), alarm({ id: 2, grade: 'blue', incident: 8 })];
    const filter = { ...ALL, grades: new Set(['red'] as const) };
    const grades = (id: number | null): 'red' | 'blue' => (id === 7 ? 'red' : 'blue');
    expect(orderedAlarms(list, filter, grades).map((one) => one.id)).toEqual([1]);
  });

  it('orders incidents by grade, then newest', () => {
    const list = [
      incident({ id: 1, grade: 'blue', opened_at: at(9) }),
      incident({ id: 2, grade: 'red', opened_at: at(1) }),
      incident({ id: 3, grade: 'red', opened_at: at(2) }),
    ];
    expect(orderedIncidents(list).map((one) => one.id)).toEqual([3, 2, 1]);
  });

  it('counts by grade', () => {
    const none = { alarms: 0, unacknowledged: 0 };
    const alarms = { red: { alarms: 2, unacknowledged: 1 }, orange: none, yellow: none, blue: none };
    const counts = countByGrade(alarms, [incident({ grade: 'red' }), incident({ grade: 'orange' })]);
    expect(counts.red).toEqual({ incidents: 1, alarms: 2, unacknowledged: 1 });
    expect(counts.orange).toEqual({ incidents: 1, alarms: 0, unacknowledged: 0 });
    expect(counts.blue).toEqual({ incidents: 0, alarms: 0, unacknowledged: 0 });
    expect(gravest([null, 'blue', 'orange', 'yellow'])).toBe('orange');
    expect(gravest([])).toBeNull();
    expect(graverBefore(incident({ grade: 'blue', peak_grade: 'red' }))).toBe('red');
    expect(graverBefore(incident({ grade: 'red', peak_grade: 'red' }))).toBeNull();
  });

  it('knows what is to be done next', () => {
    expect(nextAct('returned_unacknowledged')).toBe('acknowledge');
    expect(nextAct('latched_unacknowledged')).toBe('acknowledge');
    expect(nextAct('latched_acknowledged')).toBe('reset');
    expect(nextAct('acknowledged')).toBeNull();
  });
});

describe('holding rows still', () => {
  it('shows the same rows and counts the new ones with their gravest grade', () => {
    const held = hold([2, 1], [alarm({ id: 9, grade: 'red' }), alarm({ id: 8, grade: 'blue' }), alarm({ id: 1 })]);
    expect(held).toEqual({ ids: [2, 1], waiting: 2, grade: 'red' });
  });
});

describe('windowing', () => {
  it('draws what is in view and a little more', () => {
    expect(windowOf(10_000, 50, 0, 500)).toEqual({ first: 0, last: 16 });
    expect(windowOf(10_000, 50, 250_000, 500)).toEqual({ first: 4994, last: 5016 });
    expect(windowOf(3, 50, 0, 500)).toEqual({ first: 0, last: 3 });
    expect(windowOf(0, 50, 0, 500)).toEqual({ first: 0, last: 0 });
  });

  it('does not run past a list that has become shorter', () => {
    expect(windowOf(20, 50, 250_000, 500)).toEqual({ first: 4, last: 20 });
  });

  it('is the same window while the same rows are in view', () => {
    const before = windowOf(100, 50, 1_000, 500);
    expect(steady(before, windowOf(100, 50, 1_000, 500))).toBe(before);
    expect(steady(before, windowOf(100, 50, 1_100, 500))).toEqual({ first: 16, last: 38 });
    expect(steady(undefined, before)).toBe(before);
  });

  it('lets a row keep its place in the document, and gives the places of those that left to those that come', () => {
    const before = seated(undefined, ['a', 'b', 'c', 'd']);
    expect([...before]).toEqual([['a', 0], ['b', 1], ['c', 2], ['d', 3]]);
    const down = seated(before, ['c', 'd', 'e', 'f', 'g']);
    expect([...down]).toEqual([['c', 2], ['d', 3], ['e', 0], ['f', 1], ['g', 4]]);
    expect([...seated(down, ['x', 'c'])]).toEqual([['x', 0], ['c', 2]]);
  });

  it('keeps the topmost row in its place when rows come in above it', () => {
    expect(anchoredScroll([1, 2, 3, 4], [9, 8, 1, 2, 3, 4], 50, 60)).toBe(160);
    expect(anchoredScroll([1, 2, 3, 4], [9, 1, 3, 4], 50, 60)).toBe(60);
    expect(anchoredScroll([1, 2], [9, 1, 2], 50, 0)).toBe(0);
    expect(anchoredScroll([1, 2], [], 50, 60)).toBe(60);
  });

  it('does not follow a row that is acknowledged and sinks', () => {
    const before = Array.from({ length: 100 }, (_, index) => index);
    const sunk = (...ids: number[]): number[] => [...before.filter((id) => !ids.includes(id)), ...ids];
    expect(anchoredScroll(before, sunk(20), 50, 1_000)).toBe(950);
    expect(anchoredScroll(before, sunk(20, 21, 22, 23, 24, 25, 26), 50, 1_000)).toBe(650);
    expect(anchoredScroll(before, sunk(22), 50, 1_000)).toBe(1_000);
  });
});

describe('status of a tag', () => {
  const now = 1_000_000;
  const good = { value: 1, quality: 192, time: '', received: now };

  it('is normal only where that is known', () => {
    expect(tagView(tag(), good, [], now, true).status).toBe('normal');
    expect(tagView(tag(), good, [], now, false).status).toBe('unknown');
    expect(tagView(tag(), undefined, [], now, true).status).toBe('unknown');
    expect(tagView(tag({ has_limits: false }), good, [], now, true).status).toBe('no_limits');
    expect(tagView(tag(), { ...good, received: now - 6_000 }, [], now, true).status).toBe('stale');
    expect(tagView(tag(), { ...good, quality: 0 }, [], now, true).status).toBe('bad');
    expect(tagView(tag(), { ...good, quality: 64 }, [], now, true).status).toBe('unknown');
  });

  it('is alarm while a condition is in, whatever the reading says', () => {
    const stale = { ...good, received: now - 60_000 };
    expect(tagView(tag(), stale, [alarm({ grade: 'red' })], now, true)).toEqual({ status: 'alarm', grade: 'red' });
    expect(tagView(tag(), good, [alarm({ condition: false })], now, true).status).toBe('normal');
    expect(tagView(tag(), stale, [alarm({ kind: 'stale' })], now, true).status).toBe('stale');
  });
});
