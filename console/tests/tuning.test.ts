import { describe, expect, it } from 'vitest';

import type { RuleChange } from '@/api/types';
import { ACTS, nextAct, PLANS, refusalOf, wrongAnswer } from '@/tuning/acts';
import { afterKey, axisRange, snapped, stepOf, topOf, valueAt, type Axis } from '@/tuning/dragging';
import { around, differences, lanesOf, merged, outcomes } from '@/tuning/episodes';
import {
  editsOf,
  figuresOf,
  isLine,
  parsed,
  previewOf,
  proposedRules,
  shown,
  stillChanging,
  unitOf,
  withDraft,
  withFigure,
} from '@/tuning/figures';

import { COMPARISON, H, HH, RISE, rule, TAG } from './tuning-samples';

describe('dragging a limit', () => {
  const axis: Axis = { low: 0, high: 30, height: 300 };

  it('goes in steps that are no finer than a pixel', () => {
    expect(stepOf(axis)).toBe(0.1);
    expect(stepOf({ low: 0, high: 31, height: 300 })).toBe(0.2);
    expect(stepOf({ low: 0, high: 90, height: 300 })).toBe(0.5);
    expect(stepOf({ low: -40, high: 1200, height: 310 })).toBe(5);
    expect(stepOf({ low: 0, high: 0, height: 300 })).toBe(1);
    for (const high of [0.003, 0.7, 4, 33, 512, 1e6]) {
      const pixel = high / 300;
      const step = stepOf({ low: 0, high, height: 300 });
      expect(step).toBeGreaterThanOrEqual(pixel * 0.999);
      expect(step).toBeLessThan(pixel * 2.6);
    }
  });

  it('takes the figure under the hand and stays on the axis', () => {
    expect(valueAt(0, axis)).toBe(30);
    expect(valueAt(300, axis)).toBe(0);
    expect(valueAt(-50, axis)).toBe(30);
    expect(valueAt(999, axis)).toBe(0);
    expect(valueAt(topOf(12.3, axis), axis)).toBe(12.3);
    const odd: Axis = { low: 0.07, high: 30.04, height: 300 };
    expect(valueAt(0, odd)).toBeLessThanOrEqual(odd.high);
    expect(valueAt(300, odd)).toBeGreaterThanOrEqual(odd.low);
  });

  it('leaves no noise of binary fractions behind', () => {
    expect(snapped(0.1 + 0.2, 0.1)).toBe(0.3);
    for (let top = 0; top <= 300; top += 1) expect(String(valueAt(top, axis)).length).toBeLessThanOrEqual(4);
  });

  it('follows the keys', () => {
    expect(afterKey('ArrowUp', 10, 10, 0.1)).toBe(10.1);
    expect(afterKey('ArrowDown', 10, 10, 0.1)).toBe(9.9);
    expect(afterKey('ArrowUp', 10, 10, 0.1, true)).toBe(11);
    expect(afterKey('PageDown', 10, 10, 0.5)).toBe(5);
    expect(afterKey('Home', 12.4, 10.25, 0.1)).toBe(10.25);
    expect(afterKey('Tab', 10, 10, 0.1)).toBeNull();
  });

  it('keeps room for the lanes below everything that is drawn', () => {
    const [low, high] = axisRange([2, 5, null, 20], 0.1);
    expect(high).toBeGreaterThan(20);
    expect(low + (high - low) * 0.1).toBeLessThan(2);
    expect(axisRange([], 0.1)[1]).toBeGreaterThan(1);
    const flat = axisRange([7], 0.1);
    expect(flat[0]).toBeLessThan(7);
    expect(flat[1]).toBeGreaterThan(7);
  });
});

describe('figures', () => {
  it('are shown in seconds and per minute, and taken back the same', () => {
    expect(shown(H, 'on_delay_ms', 2000)).toBe(2);
    expect(shown(RISE, 'setpoint', 0.5)).toBe(30);
    expect(shown(RISE, 'window_ms', 60_000)).toBe(60);
    for (const text of ['0.1', '7', '33.3', '1e-3', '-4']) {
      for (const each of [H, RISE]) {
        const value = parsed(each, 'setpoint', text);
        expect(value).not.toBeNull();
        expect(shown(each, 'setpoint', value ?? NaN)).toBe(Number(text));
      }
    }
    expect(parsed(H, 'on_delay_ms', '1.5')).toBe(1500);
  });

  it('have the unit that they are shown in', () => {
    expect(unitOf(H, 'setpoint', 's')).toBe('mg/m³');
    expect(unitOf(H, 'on_delay_ms', 's')).toBe('s');
    expect(unitOf(RISE, 'setpoint', 's')).toBe('mg/m³/min');
    expect(unitOf({ ...RISE, engineering_unit: 'mg/m3/s' }, 'setpoint', 's')).toBe('mg/m³/min');
  });

  it('refuse what is none', () => {
    for (const text of ['', ' ', 'x', '1e999', '--1']) expect(parsed(H, 'setpoint', text)).toBeNull();
    expect(parsed(H, 'deadband', '-0.1')).toBeNull();
    expect(parsed(H, 'on_delay_ms', '-1')).toBeNull();
    expect(parsed(H, 'setpoint', '-5')).toBe(-5);
  });

  it('are those that the kind has', () => {
    expect(figuresOf(H).map(([figure]) => figure)).toEqual(['setpoint', 'deadband', 'on_delay_ms', 'off_delay_ms']);
    expect(figuresOf(RISE).map(([figure]) => figure)).toContain('window_ms');
    expect([H, HH, RISE].filter(isLine)).toEqual([H, HH]);
  });

  it('are drafts only where they are others', () => {
    const one = withFigure({}, H, 'setpoint', 12);
    expect(one).toEqual({ H: { setpoint: 12 } });
    const two = withFigure(withFigure(one, H, 'on_delay_ms', 5000), HH, 'deadband', 1);
    expect(two).toEqual({ H: { setpoint: 12, on_delay_ms: 5000 }, HH: { deadband: 1 } });
    expect(withFigure(two, H, 'setpoint', 10)).toEqual({ H: { on_delay_ms: 5000 }, HH: { deadband: 1 } });
    expect(withFigure(one, H, 'setpoint', null)).toEqual({});
    expect(withDraft(two, 'H', {})).toEqual({ HH: { deadband: 1 } });
  });

  it('that the rules have taken on meanwhile are no drafts any more', () => {
    const drafts = { H: { setpoint: 12, on_delay_ms: 5000 }, HH: { deadband: 1 }, GONE: { setpoint: 3 } };
    const rules = [rule('H', { setpoint: 12 }), rule('HH', { deadband: null })];
    expect(stillChanging(drafts, rules)).toEqual({ H: { on_delay_ms: 5000 } });
  });
});

describe('what is sent', () => {
  const drafts = { H: { setpoint: 12, on_delay_ms: 5000 } };

  it('asks for every rule over the same stretch', () => {
    expect(previewOf(TAG, drafts, [0, 86_400_000])).toEqual({
      enterprise: 'works',
      tag: 'GT-101',
      from: '1970-01-01T00:00:00.000Z',
      to: '1970-01-02T00:00:00.000Z',
      rules: [{ key: 'H', setpoint: 12, on_delay_ms: 5000 }, { key: 'HH' }, { key: 'RISE' }],
    });
  });

  it('proposes only what changes', () => {
    expect(editsOf(TAG, drafts)).toEqual([
      { enterprise: 'works', tag: 'GT-101', rule: 'H', setpoint: 12, on_delay_ms: 5000 },
    ]);
    expect(editsOf(TAG, {})).toEqual([]);
    const [shownRule] = proposedRules(TAG, drafts);
    expect(shownRule?.before.setpoint).toBe(10);
    expect(shownRule?.after).toMatchObject({ setpoint: 12, on_delay_ms: 5000, deadband: 0.5 });
  });

  it('signs each act with what it asks for', () => {
    const signature = { name: '王芳', comment: '看过回测' };
    const answers = { days: 3, hours: 12, at: '' };
    expect(PLANS.backtest.body(signature, answers)).toEqual({ name: '王芳', days: 3 });
    expect(PLANS.approve.body(signature, answers)).toEqual(signature);
    expect(PLANS.shadow.body(signature, answers)).toEqual({ ...signature, hours: 12 });
    expect(PLANS.apply.body(signature, answers)).toEqual(signature);
    expect(PLANS.apply.body(signature, { ...answers, at: '2026-11-22T08:30' }).at).toBe(new Date('2026-11-22T08:30').toISOString());
    expect(PLANS.rollback.body(signature, answers)).toEqual({ name: '王芳', reason: '看过回测' });
    expect([...ACTS].sort()).toEqual(Object.keys(PLANS).sort());
  });

  it('is not sent where an answer is wrong', () => {
    const answers = { days: 7, hours: 24, at: '' };
    expect(wrongAnswer('shadow', answers, 0)).toBeNull();
    expect(wrongAnswer('shadow', { ...answers, hours: 0 }, 0)).toBe('hours');
    expect(wrongAnswer('shadow', { ...answers, hours: Number.NaN }, 0)).toBe('hours');
    expect(wrongAnswer('apply', answers, Date.now())).toBeNull();
    expect(wrongAnswer('apply', { ...answers, at: '2020-01-01T00:00' }, Date.now())).toBe('at');
  });
});

describe('the next act', () => {
  const step = (state: RuleChange['state'], acts: RuleChange['next_acts'], missing: RuleChange['missing'] = []) =>
    nextAct({ state, next_acts: acts, missing, moved: null });

  it('is what takes the change on its way', () => {
    expect(step('proposed', ['backtest', 'approve', 'reject'], ['backtest', 'approval'])).toBe('backtest');
    expect(step('proposed', ['backtest', 'approve', 'reject'], ['approval'])).toBe('approve');
    expect(step('approved', ['reject', 'shadow', 'apply'])).toBe('shadow');
    expect(step('shadow', ['reject', 'shadow', 'apply'])).toBe('apply');
    expect(step('live', ['rollback'])).toBeNull();
    expect(step('withdrawn', [])).toBeNull();
    const moved = 'H was changed meanwhile';
    expect(nextAct({ state: 'approved', next_acts: ['reject', 'apply'], missing: [], moved })).toBeNull();
  });
});

describe('a refusal', () => {
  const change = { name: '李 工', moved: null, missing: ['backtest', 'approval'] } as unknown as RuleChange;

  it('has words where the console knows the reason', () => {
    expect(refusalOf('approve', change, '王芳')).toBe('backtest');
    expect(refusalOf('approve', { ...change, missing: ['approval'] }, '李工')).toBe('samePerson');
    expect(refusalOf('approve', { ...change, missing: ['approval'] }, '王芳')).toBeNull();
    expect(refusalOf('approve', { ...change, moved: 'H was changed meanwhile' }, '李工')).toBeNull();
    expect(refusalOf('withdraw', change, '王芳')).toBe('notProposer');
    expect(refusalOf('apply', change, '李工')).toBeNull();
  });
});

describe('differences', () => {
  it('stand in the order of time', () => {
    const found = differences(COMPARISON);
    expect(found.map(({ what, entered, by }) => [what, entered / 60_000, by])).toEqual([
      ['later', 12, 120_000],
      ['removed', 30, 0],
      ['added', 60, 0],
      ['removed', 90, 0],
    ]);
    expect(found.at(-1)?.left).toBeNull();
  });

  it('are marked on the lanes, to the end where an alarm is still in', () => {
    const { before, after } = lanesOf(COMPARISON, 'H');
    expect(before.map(({ only }) => only)).toEqual([false, true, true]);
    expect(before.at(-1)?.end).toBe(100 * 60_000);
    expect(after.map(({ only }) => only)).toEqual([false, true]);
    expect(lanesOf(COMPARISON, 'HH')).toEqual({ before: [], after: [] });
    expect(lanesOf(null, 'H')).toEqual({ before: [], after: [] });
  });

  it('that are too near to be told apart are one bar, but never of two sorts', () => {
    const bar = (begin: number, end: number, only = false) => ({ begin, end, only });
    expect(merged([bar(10, 10.1), bar(11, 11.2), bar(30, 40)], 0, 100, 3)).toEqual([bar(10, 14), bar(30, 40)]);
    expect(merged([bar(10, 10.1), bar(11, 11.2, true)], 0, 100, 3)).toEqual([bar(10, 13), bar(11, 14, true)]);
    expect(merged([bar(-9, -1), bar(-5, 5), bar(90, 200), bar(120, 130)], 0, 100, 3)).toEqual([bar(0, 5), bar(90, 100)]);
  });

  it('of counts are told by rule', () => {
    expect(outcomes(COMPARISON).map(({ rule: key, before, after }) => [key, before.count, after.count])).toEqual([['H', 3, 2]]);
  });

  it('are looked at with some room around', () => {
    const [first] = differences(COMPARISON);
    if (first === undefined) throw new Error('there are differences');
    const [begin, end] = around(first, [0, 100 * 60_000]);
    expect([begin, end]).toEqual([4 * 60_000, 28 * 60_000]);
    expect(around({ ...first, entered: 99 * 60_000, left: null }, [0, 100 * 60_000])[1]).toBe(100 * 60_000);
  });
});
