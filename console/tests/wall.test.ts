import { describe, expect, it } from 'vitest';

import type { Enterprise } from '@/api/types';
import type { EnterprisePlace } from '@/map/places';
import { QUIET, type Standing } from '@/map/standing';
import { troublesOf } from '@/wall/map';
import { Attention, HOLD_MS, pageOf, roundOf } from '@/wall/screens';
import { gravestByTag, standingsOf } from '@/wall/standing';

import { alarm, incident } from './samples';

const NOW = Date.parse('2026-06-08T03:00:00Z');
const MINUTE = 60_000;
const ago = (ms: number): string => new Date(NOW - ms).toISOString();
const ids = (found: readonly { id: number }[]): number[] => found.map(({ id }) => id);

describe('the round of a wall screen', () => {
  it('shows every page of everything, and one of nothing', () => {
    expect(roundOf(0, 0, false)).toHaveLength(2);
    expect(roundOf(11, 7, true).map(({ kind, page, pages }) => `${kind} ${page + 1}/${pages}`)).toEqual([
      'incidents 1/3', 'incidents 2/3', 'incidents 3/3', 'map 1/1', 'enterprises 1/2', 'enterprises 2/2',
    ]);
    expect(pageOf([1, 2, 3, 4, 5, 6, 7], 2, 3)).toEqual([7]);
  });
});

describe('attention', () => {
  const old = incident({ id: 1, grade: 'orange', opened_at: ago(MINUTE) });

  it('goes to red and orange that nobody has acknowledged, real and grave ones first', () => {
    const red = incident({ id: 2, grade: 'red', opened_at: ago(2 * MINUTE) });
    const drill = incident({ id: 3, grade: 'red', drill: 7, opened_at: ago(0) });
    const yellow = incident({ id: 4, grade: 'yellow', opened_at: ago(0) });
    const looked = incident({ id: 5, grade: 'red', alarms_unacknowledged: 0, opened_at: ago(0) });
    expect(ids(new Attention().waiting([old, drill, yellow, red, looked], NOW))).toEqual([2, 1, 3]);
  });

  it('goes to what comes, stays until it is acknowledged, and comes back when it grows worse', () => {
    const attention = new Attention();
    expect(attention.waiting([], NOW)).toEqual([]);
    const come = incident({ id: 9, grade: 'orange', opened_at: ago(HOLD_MS) });
    expect(ids(attention.waiting([old, come], NOW))).toEqual([1, 9]);
    const seen = { ...come, desk_acknowledgement: { at: ago(-1000), name: '王芳', comment: '', recorded_by: null } };
    expect(ids(attention.waiting([seen], NOW + 2000))).toEqual([]);
    expect(ids(attention.waiting([{ ...seen, grade: 'red' }], NOW + 3000))).toEqual([9]);
  });

  it('goes to what turned grave before the screen was, however long it has been open, unless it was acknowledged', () => {
    const long = incident({ grade: 'red', opened_at: ago(3 * HOLD_MS) });
    expect(ids(new Attention().waiting([long], NOW))).toEqual([1]);
    const seen = { at: ago(2 * HOLD_MS), name: '王芳', comment: '', recorded_by: null };
    expect(new Attention().waiting([{ ...long, desk_acknowledgement: seen }], NOW)).toEqual([]);
  });

  it('lets go after a stated time', () => {
    const attention = new Attention();
    expect(ids(attention.waiting([old], NOW))).toEqual([1]);
    expect(ids(attention.waiting([old], NOW + HOLD_MS - 1))).toEqual([1]);
    expect(attention.waiting([old], NOW + HOLD_MS)).toEqual([]);
  });
});

describe('what an incident says on the wall', () => {
  it('is the gravest alarm of each tag, acknowledged or not', () => {
    const high = alarm({ id: 1, tag: 'GT-101', grade: 'blue', entered_at: ago(3 * MINUTE) });
    const worst = alarm({ id: 2, tag: 'GT-101', grade: 'yellow', state: 'acknowledged', entered_at: ago(2 * MINUTE) });
    const other = alarm({ id: 3, tag: 'GT-103', grade: 'yellow', entered_at: ago(MINUTE) });
    expect(ids(gravestByTag([high, worst, other]))).toEqual([3, 2]);
  });
});

describe('how enterprises stand', () => {
  const enterprise = (id: string): Enterprise => ({ id, name: id, region: '1', region_name: '县', units: [], gateways: 1 });

  it('puts the gravest first, and takes no drill for real', () => {
    const found = standingsOf(
      [enterprise('a'), enterprise('b'), enterprise('c')],
      [
        incident({ enterprise: 'b', unit: 'x', grade: 'yellow' }),
        incident({ enterprise: 'b', unit: 'y', grade: 'red', drill: 1 }),
        incident({ enterprise: 'new', enterprise_name: '新', grade: 'orange' }),
      ],
    );
    expect(found.map(({ id, grade }) => [id, grade])).toEqual([['new', 'orange'], ['b', 'yellow'], ['a', null], ['c', null]]);
    expect(found[1]?.open.map(({ unit, drill }) => [unit, drill])).toEqual([['x', false], ['y', true]]);
    expect(found[0]?.name).toBe('新');
  });
});

describe('what stands beside the map', () => {
  const standing = (change: Partial<Standing>): Standing => ({ ...QUIET, alarms: 1, ...change });
  const place = (id: string, own: Partial<Standing>, units: Record<string, Partial<Standing>>): EnterprisePlace => ({
    id, name: id, region: '1', at: null, wind: null, standing: standing(own),
    units: Object.entries(units).map(([unit, its]) => ({
      key: `${id}/${unit}`, id: unit, name: unit, hazard: null, at: { x: 0, y: 0 }, wind: null, standing: standing(its),
    })),
  });

  it('names what is wrong, the gravest first, a leak before the rest of its grade, drills last', () => {
    const found = troublesOf([
      place('a', { grade: 'orange' }, { heated: { grade: 'orange' }, leaking: { grade: 'orange', release: true }, quiet: {} }),
      place('b', { grade: 'red', drill: true }, { drilled: { grade: 'red', drill: true } }),
      place('c', { grade: 'blue' }, { quiet: {} }),
    ]);
    expect(found.map(({ key, unit }) => `${key} ${unit}`)).toEqual(['a/leaking leaking', 'a/heated heated', 'c null', 'b/drilled drilled']);
    expect(found.map(({ placed }) => placed)).toEqual([true, true, false, true]);
    expect(troublesOf([place('d', {}, { quiet: {} })])).toEqual([]);
  });
});
