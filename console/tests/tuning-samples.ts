/** A tag with its rules, and what other figures would have done with it, to test with. */

import type { Comparison, TuningRule, TuningTag } from '@/api/types';

export const rule = (key: string, change: Partial<TuningRule> = {}): TuningRule => ({
  key,
  kind: 'high',
  level: 'H',
  setpoint: 10,
  deadband: 0.5,
  on_delay_ms: 2000,
  off_delay_ms: 0,
  window_ms: null,
  engineering_unit: 'mg/m3',
  default: false,
  change: null,
  ...change,
});
export const H = rule('H');
export const HH = rule('HH', { level: 'HH', setpoint: 20 });
export const RISE = rule('RISE', { kind: 'rise', setpoint: 0.5, window_ms: 60_000 });
export const TAG: TuningTag = {
  enterprise: 'works',
  tag: 'GT-101',
  unit: 'tankfarm',
  description: '1# 罐泵区硫化氢',
  measurand: 'h2s',
  engineering_unit: 'mg/m3',
  range: [0, 100],
  period_ms: 1000,
  rules: [H, HH, RISE],
};

const at = (minute: number): string => new Date(minute * 60_000).toISOString();
const episode = (begin: number, end: number | null) => ({ entered_at: at(begin), left_at: end === null ? null : at(end), value: 11 });
export const COMPARISON: Comparison = {
  from: at(0),
  to: at(100),
  readings: 100,
  late: 0,
  before: { rules: { H: { count: 3, per_day: 3, time_in_ms: 1, episodes: [episode(10, 20), episode(30, 31), episode(90, null)] } } },
  after: { rules: { H: { count: 2, per_day: 2, time_in_ms: 1, episodes: [episode(12, 20), episode(60, 61)] } } },
  added: [{ rule: 'H', ...episode(60, 61) }],
  removed: [
    { rule: 'H', ...episode(30, 31) },
    { rule: 'H', ...episode(90, null) },
  ],
  earlier: [],
  later: [{ rule: 'H', ...episode(12, 20), was: at(10), by_ms: 120_000 }],
  longer: [],
  shorter: [],
  merged: [],
  split: [],
  counts: { before: 3, after: 2, added: 1, removed: 2, earlier: 0, later: 1 },
};
