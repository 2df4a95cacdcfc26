import { describe, expect, it } from 'vitest';

import type { Alarm, Enterprise, Gateway, OnlineDay } from '@/api/types';
import { queryOf, sectionOf } from '@/enterprise/address';
import { formatRate, rowsOf as daysOf, verdict } from '@/enterprise/online';
import { formatPerSecond, RateMeter } from '@/enterprise/rates';
import { skewOf } from '@/enterprise/skew';
import { rowsOf, sorted, standingOf, type EnterpriseRow } from '@/enterprise/table';
import { alarmsByTag, byName, byPlace, placesOf, tagsShown, type Filter } from '@/enterprise/tags';
import { standings } from '@/map/standing';

import { alarm, incident, tag } from './samples';

const DAY = 86_400_000;

function day(date: string, known: number, online: number): OnlineDay {
  return { date, known_ms: known, online_ms: online, rate: known === 0 ? null : online / known };
}

describe('the address of an enterprise', () => {
  it('holds the section, and the tags without one', () => {
    expect(sectionOf({})).toBe('tags');
    expect(sectionOf({ show: 'nothing' })).toBe('tags');
    expect(sectionOf(queryOf('quarantine', 'gw1'))).toBe('quarantine');
    expect(queryOf('quarantine', 'gw1')).toEqual({ show: 'quarantine', gateway: 'gw1' });
    expect(queryOf('tags')).toEqual({});
  });
});

describe('the online rate', () => {
  it('is 100 % only where nothing is missing, and no number where nothing is known', () => {
    expect([1, 1 - 1 / DAY, 0.9951, 0.29, 0, null].map(formatRate)).toEqual(['100%', '99.99%', '99.51%', '29.00%', '0.00%', '—']);
    expect([1, 0.995, 0.9949, null].map(verdict)).toEqual(['met', 'met', 'missed', 'unknown']);
  });

  it('is told by day, the newest first, with the gateways that missed it', () => {
    const gateways = [
      { name: '一', days: [day('2026-06-07', DAY, DAY), day('2026-06-08', 1000, 900)] },
      { name: '二', days: [day('2026-06-07', 0, 0), day('2026-06-08', 1000, 500)] },
    ];
    const rows = daysOf({ days: [day('2026-06-07', DAY, DAY), day('2026-06-08', 2000, 1400)], gateways });
    expect(rows.map(({ date, lost }) => [date, lost])).toEqual([
      ['2026-06-08', 600],
      ['2026-06-07', 0],
    ]);
    expect(rows[0]?.below).toEqual([
      { name: '二', rate: 0.5 },
      { name: '一', rate: 0.9 },
    ]);
    expect(rows[1]?.below).toEqual([]);
  });
});

describe('rates of gateways', () => {
  const counted = (messages: number, readings: number) => ({ enterprise: 'a', gateway: 'gw1', messages, readings });

  it('are the mean of a minute, and none after one answer', () => {
    const meter = new RateMeter();
    meter.take([counted(0, 0)], 0);
    expect(meter.of(counted(0, 0))).toBeNull();
    meter.take([counted(10, 100)], 5_000);
    expect(meter.of(counted(0, 0))).toEqual({ messages: 2, readings: 20 });
    for (let at = 10_000; at <= 120_000; at += 5_000) meter.take([counted(10, 100)], at);
    expect(meter.of(counted(0, 0))).toEqual({ messages: 0, readings: 0 });
    expect(meter.of({ enterprise: 'a', gateway: 'other' })).toBeNull();
  });

  it('begin anew with the service, and with a gateway that comes back', () => {
    const meter = new RateMeter();
    meter.take([counted(100, 100)], 0);
    meter.take([counted(5, 5)], 5_000);
    expect(meter.of(counted(0, 0))).toBeNull();
    meter.take([counted(15, 5)], 10_000);
    expect(meter.of(counted(0, 0))).toEqual({ messages: 2, readings: 0 });
    meter.take([], 15_000);
    expect(meter.of(counted(0, 0))).toBeNull();
  });

  it('are not called nought where they are not', () => {
    expect([0, 0.01, 0.24, 12.34, 1234.5].map(formatPerSecond)).toEqual(['0.0', '< 0.1', '0.2', '12.3', '1235']);
  });
});

it('the skew of a clock is what it means', () => {
  const skews = [-5_001, -5_000, 5_000, 5_001, null].map((ms) => skewOf({ clock: 'live', clock_skew_ms: ms }));
  expect(skews).toEqual(['ahead', 'right', 'right', 'behind', 'unknown']);
  expect(skewOf({ clock: 'source', clock_skew_ms: -1e9 })).toBe('unchecked');
});

describe('tags of an enterprise', () => {
  const latest = { value: 1, quality: 192, reason: 0, source_time: '2026-06-08T02:30:00Z', received_time: '2026-06-08T02:30:00Z' };
  const tags = [
    tag({ tag: 'A', latest }),
    tag({ tag: 'B', latest, has_limits: false, status: 'no_limits', description: '东侧 East' }),
    tag({ tag: 'C', latest: { ...latest, quality: 0 }, status: 'bad' }),
    tag({ tag: 'D', latest, status: 'stale' }),
    tag({ tag: 'E', status: 'unknown' }),
  ];
  const alarms = alarmsByTag(
    [alarm({ tag: 'A' }), alarm({ id: 2, tag: 'A', enterprise: 'other' }), alarm({ id: 3, tag: '@gw1', unit: 'gateways' })],
    'huarui',
  );
  const shown = (search: string, filter: Filter): string =>
    tagsShown(tags, (one) => `${one.tag} ${one.description}`, search, filter, { alarms, readings: new Map() })
      .map((one) => one.tag)
      .join('');

  it('are chosen by what is wrong with them', () => {
    expect([...alarms.keys()]).toEqual(['A']);
    expect(shown('', 'all')).toBe('ABCDE');
    expect(shown('', 'alarm')).toBe('A');
    expect(shown('', 'no_limits')).toBe('B');
    expect(shown('', 'bad')).toBe('C');
    expect(shown('', 'stale')).toBe('D');
    expect(shown('', 'abnormal')).toBe('ACDE');
  });

  it('are found by name and description', () => {
    expect(shown(' east ', 'all')).toBe('B');
    expect(shown('d', 'no_limits')).toBe('');
  });

  it('stand by gravity, those of one kind by name', () => {
    const of = (name: string, change: Partial<Alarm> = {}): Alarm => alarm({ tag: name, ...change });
    const returned = { condition: false, state: 'returned_unacknowledged' } as const;
    const found = alarmsByTag(
      [
        of('X10', { grade: 'blue', state: 'acknowledged' }),
        of('X10', { id: 2, grade: 'red', ...returned }),
        of('X9', { grade: 'blue' }),
        of('X2', { grade: 'orange', state: 'acknowledged' }),
        of('X3', { grade: 'orange' }),
        of('X4', { grade: 'orange' }),
        of('X8', { grade: 'red', state: 'acknowledged' }),
        of('X1', { grade: 'red', drill: 7 }),
        of('X7', { grade: 'red', ...returned }),
      ],
      'huarui',
    );
    const all = ['X10', 'X9', 'X8', 'X7', 'X4', 'X3', 'X2', 'X1'].map((name) => tag({ tag: name, latest }));
    const named = byName([...all, ...tags, tag({ tag: 'A0', latest })]);
    const places = placesOf(named, { alarms: found, readings: new Map() });
    const order = (): string => byPlace(named, places).map((one) => one.tag).join(' ');
    expect(order()).toBe('X8 X3 X4 X2 X9 X10 X7 X1 C D E B A A0');
    places.delete('X8'); // not there yet when the order was taken
    expect(order()).toBe('X3 X4 X2 X9 X10 X7 X1 C D E B A A0 X8');
  });
});

describe('the table of enterprises', () => {
  const unit = (id: string, level: number | null, tags: number, without: number) =>
    ({ id, hazard_level: level, tags, tags_without_limits: without }) as Enterprise['units'][number];
  const enterprises = [
    { id: 'a', name: '甲', region_name: '县', units: [unit('u', 3, 5, 1), unit('v', 2, 4, 1)] },
    { id: 'b', name: '乙', region_name: '市', units: [unit('u', null, 7, 0)] },
    { id: 'c', name: '丙', region_name: '县', units: [] },
  ] as unknown as Enterprise[];
  const gateways = [
    { enterprise: 'a', gateway: '1', status: 'online' },
    { enterprise: 'a', gateway: '2', status: 'offline' },
    { enterprise: 'b', gateway: '1', status: 'online' },
  ] as Gateway[];
  const incidents = [incident({ enterprise: 'b', grade: 'orange' }), incident({ id: 2, enterprise: 'c', grade: 'red', drill: 7 })];
  const stand = standings({ incidents: new Map(incidents.map((one) => [one.id, one])), alarms: new Map() });
  const rows = rowsOf({
    enterprises,
    gateways,
    rates: [{ enterprise: 'a', days: [day('2026-06-08', 1000, 500)], start: '', end: '', rate: 0.5 }],
    incidents,
    standings: stand,
  });
  const order = (found: readonly EnterpriseRow[]): string => found.map(({ id }) => id).join('');

  it('tells of each how it stands', () => {
    expect(rows.map(({ hazard, open, online, gateways: all, rate }) => [hazard, open, online, all, rate])).toEqual([
      [2, 0, 1, 2, 0.5],
      [null, 1, 1, 1, null],
      [null, 0, 0, 0, null],
    ]);
    expect(rows.map(({ tags, withoutLimits }) => [tags, withoutLimits])).toEqual([
      [9, 2],
      [7, 0],
      [0, 0],
    ]);
    expect(standingOf(stand, 'a').grade).toBeNull();
  });

  it('has what is worst on top, by any column, and a drill below what is real', () => {
    expect(order(sorted(rows, 'grade', false))).toBe('bca');
    expect(order(sorted(rows, 'hazard', false))).toBe('abc');
    expect(order(sorted(rows, 'online', false))).toBe('abc');
    expect(order(sorted(rows, 'rate', false))).toBe('abc');
    expect(order(sorted(rows, 'withoutLimits', true))).toBe('bca');
    expect(order(sorted(rows, 'name', false))).toBe(order(sorted(rows, 'name', true)).split('').reverse().join(''));
    expect(order(sorted(rows, 'region', false))).toMatch(/^(b|ac)/);
  });
});
