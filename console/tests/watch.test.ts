import { describe, expect, it } from 'vitest';

import { EVERYTHING, type Filter } from '@/alarms/ordering';
import type { Grade } from '@/api/types';
import { fromQuery, hiddenBy, hidesNothing, keyOf, toQuery, without } from '@/watch/filter';
import { filterOf, keepViews, loadViews, MOST_VIEWS, removed, renamed, saved, viewOf, type View } from '@/watch/views';

import { alarm } from './samples';

const TANKS: Filter = {
  grades: new Set<Grade>(['orange', 'red']),
  state: 'any_unacknowledged',
  region: '370783',
  enterprise: 'huarui',
  hazard: 0,
  measurand: 'h2s',
};
const none = (): null => null;

describe('the filter in the address', () => {
  it('is read back as it was written', () => {
    expect(toQuery(TANKS).grade).toBe('red,orange');
    expect(fromQuery(toQuery(TANKS))).toEqual(TANKS);
    expect(toQuery(EVERYTHING)).toEqual({});
    expect(fromQuery({})).toEqual(EVERYTHING);
    expect(hidesNothing(EVERYTHING)).toBe(true);
  });

  it('filters nothing by what it does not understand', () => {
    const strange = { grade: 'purple,', state: 'normal', hazard: '9', region: ['a', 'b'], enterprise: null, more: 'x' };
    expect(fromQuery(strange)).toEqual(EVERYTHING);
  });

  it('loses one part at a time', () => {
    expect(without(TANKS, 'grade').grades.size).toBe(0);
    expect(toQuery(without(TANKS, 'hazard'))).not.toHaveProperty('hazard');
    expect(toQuery(without(TANKS, 'hazard'))).toHaveProperty('measurand', 'h2s');
  });
});

describe('what the filter hides', () => {
  const filter = { ...EVERYTHING, enterprise: 'huarui' };
  const others = [
    alarm({ id: 1 }),
    alarm({ id: 2, enterprise: 'jinhe', grade: 'blue' }),
    alarm({ id: 3, enterprise: 'jinhe', grade: 'orange', state: 'acknowledged' }),
    alarm({ id: 4, enterprise: 'jinhe', grade: 'red', drill: 5 }),
  ];

  it('is counted with its gravest grade, without drills', () => {
    expect(hiddenBy(others, filter, none)).toEqual({ count: 2, unacknowledged: 1, grade: 'orange', red: [] });
    expect(hiddenBy(others, EVERYTHING, none).count).toBe(0);
  });

  it('is named where it is red, by itself or by its incident, and unacknowledged', () => {
    const red = [alarm({ id: 7, enterprise: 'jinhe', grade: 'red' }), alarm({ id: 8, enterprise: 'jinhe', incident: 9 })];
    const found = hiddenBy([...others, ...red], filter, (id) => (id === 9 ? 'red' : null));
    expect(found.red.map(({ id }) => id)).toEqual([7, 8]);
    expect(found.grade).toBe('red');
  });
});

describe('saved views', () => {
  function store(kept: Record<string, string> = {}) {
    return {
      getItem: (key: string) => kept[key] ?? null,
      setItem: (key: string, value: string) => void (kept[key] = value),
    };
  }

  it('are kept for each account', () => {
    const browser = store();
    const views = saved(saved([], ' Tanks ', TANKS), 'All', EVERYTHING);
    expect(keepViews(browser, 'wang', views)).toBe(true);
    expect(loadViews(browser, 'wang')).toEqual(views);
    expect(loadViews(browser, 'li')).toEqual([]);
    expect(views.map(filterOf)).toEqual([TANKS, EVERYTHING]);
    expect(viewOf(views, TANKS)?.name).toBe('Tanks');
    expect(viewOf(views, { ...TANKS, hazard: 3 })).toBeNull();
  });

  it('are replaced, renamed and removed by name', () => {
    const views = saved(saved([], 'a', TANKS), 'b', TANKS);
    expect(saved(views, 'a', EVERYTHING).map(({ key }) => key)).toEqual(['', keyOf(TANKS)]);
    expect(renamed(views, 'a', 'b')).toBe(views);
    expect(renamed(views, 'a', ' c ').map(({ name }) => name)).toEqual(['c', 'b']);
    expect(removed(views, 'a').map(({ name }) => name)).toEqual(['b']);
    expect(saved(views, '  ', TANKS)).toBe(views);
  });

  it('survive what somebody else has put there, and do not grow for ever', () => {
    expect(loadViews(store({ 'anshao.views.wang': '{' }), 'wang')).toEqual([]);
    expect(loadViews(store({ 'anshao.views.wang': '{"a":1}' }), 'wang')).toEqual([]);
    expect(loadViews(store({ 'anshao.views.wang': '[null,{"name":1},{"name":"a","key":""}]' }), 'wang')).toHaveLength(1);
    let views: readonly View[] = [];
    for (let n = 0; n <= MOST_VIEWS; n += 1) views = saved(views, `view ${n}`, TANKS);
    expect(views).toHaveLength(MOST_VIEWS);
    expect(views.at(-1)?.name).toBe(`view ${MOST_VIEWS}`);
  });
});
