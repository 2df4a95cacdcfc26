import { describe, expect, it, vi } from 'vitest';
import { effectScope, ref } from 'vue';

import { arrange } from '@/alarms/grouping';
import { HOLD_MS } from '@/alarms/holding';
import { EVERYTHING, type Filter } from '@/alarms/ordering';
import type { Alarm, Grade } from '@/api/types';
import { alarmsOn, indexOf, sameUnit, stepped, toAcknowledge, waiting } from '@/watch/cursor';
import { failing } from '@/watch/deliveries';
import { fromQuery, hiddenBy, hidesNothing, keyOf, toQuery, without } from '@/watch/filter';
import { placed, useStill, whileStill } from '@/watch/still';
import { filterOf, keepViews, loadViews, MOST_VIEWS, removed, renamed, saved, viewOf, type View } from '@/watch/views';

import { alarm, incident } from './samples';

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

describe('the keyboard in the list', () => {
  const alarms = [
    alarm({ id: 1 }),
    alarm({ id: 2, unit: 'wharf' }),
    alarm({ id: 3, state: 'acknowledged' }),
    alarm({ id: 4, drill: 1 }),
    alarm({ id: 5, suppression: 'shelved' }),
  ];
  /** In the order 1, 2, 3, 4, 5. */
  const lines = arrange(alarms, none, false, new Set());

  it('goes from line to line and stops at the ends', () => {
    const first = stepped(lines, null, 1);
    expect(first).toEqual({ key: lines[0]?.key ?? '', index: 0 });
    expect(stepped(lines, first, -1)).toEqual(first);
    expect(stepped(lines, first, 100)?.key).toBe(lines.at(-1)?.key);
    expect(stepped(lines, null, -1)?.key).toBe(lines.at(-1)?.key);
    expect(stepped([], first, 1)).toBeNull();
  });

  it('stays on its alarm when lines move, and goes on from where it was when that is gone', () => {
    const second = stepped(lines, { key: lines[0]?.key ?? '', index: 0 }, 1);
    const moved = [...lines].reverse();
    expect(indexOf(moved, second)).toBe(lines.length - 2);
    const gone = lines.filter(({ key }) => key !== second?.key);
    expect(stepped(gone, second, 1)?.key).toBe(gone[1]?.key);
    expect(stepped(gone, second, -1)?.key).toBe(gone[0]?.key);
  });

  it('acts on what waits, of a line or a unit', () => {
    expect(alarmsOn(undefined)).toEqual([]);
    expect(alarmsOn(lines[1])).toEqual([alarms[1]]);
    expect(waiting(alarms).map(({ id }) => id)).toEqual([1, 2, 4]);
    expect(sameUnit(alarms, alarms[0]).map(({ id }) => id)).toEqual([1, 3, 5]);
    expect(sameUnit(alarms, undefined)).toEqual([]);
  });

  it('acknowledges the selection, else the line, and the first that waits where the keyboard stands on none', () => {
    const [seen, first, second] = [alarm({ id: 1, state: 'acknowledged' }), alarm({ id: 2 }), alarm({ id: 3 })];
    const rows = [seen, first, second];
    const of = (selection: Alarm[], on?: Alarm): number[] =>
      toAcknowledge(selection, on && { kind: 'alarm', key: on.id, alarm: on, within: false }, rows).map(({ id }) => id);
    expect(of([second], first)).toEqual([3]);
    expect(of([], second)).toEqual([3]);
    expect(of([], seen)).toEqual([1]);
    expect(of([])).toEqual([2]);
  });
});

describe('messages that reach nobody', () => {
  it('are told for incidents that are open, and lead to the newest', () => {
    const open = (id: number): boolean => id < 10;
    const messages = [3, 7, 12, null].map((incident) => ({ incident, drill: null }));
    expect(failing([...messages, { incident: 8, drill: 2 }], open)).toEqual({ count: 2, incident: 7 });
    expect(failing([{ incident: 12, drill: null }], open)).toBeNull();
  });
});

describe('what stands above the list', () => {
  it('keeps its places while somebody points, and says what waits', () => {
    const [blue, yellow] = [incident({ id: 1, grade: 'blue' }), incident({ id: 2, grade: 'yellow' })];
    const shown = [yellow, blue];
    const now = [incident({ id: 3, grade: 'red' }), incident({ id: 4, grade: 'orange' }), incident({ id: 1, grade: 'orange' })];
    const { incidents, waiting: fresh, grade } = placed(shown, now);
    expect(incidents.map(({ id, grade: its }) => [id, its])).toEqual([[2, 'yellow'], [1, 'orange']]);
    expect([fresh, grade]).toEqual([2, 'red']);
    expect(placed(now, now)).toEqual({ incidents: now, waiting: 0, grade: null });
  });

  it('follows again once nobody has pointed for a while', () => {
    vi.useFakeTimers();
    const scope = effectScope();
    scope.run(() => {
      const { still, touch, release } = useStill();
      const source = ref(1);
      const shown = whileStill(() => still.value, () => source.value);
      expect(shown.value).toBe(1);
      touch();
      source.value = 2;
      vi.advanceTimersByTime(HOLD_MS - 1);
      expect(shown.value).toBe(1);
      vi.advanceTimersByTime(1);
      expect(shown.value).toBe(2);
      touch();
      source.value = 3;
      expect(shown.value).toBe(2);
      release();
      expect(shown.value).toBe(3);
    });
    scope.stop();
    vi.useRealTimers();
  });
});
