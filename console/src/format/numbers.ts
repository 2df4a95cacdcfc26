/** Values, limits and amounts as text. */

import type { RuleKind } from '@/api/types';

export const NOTHING = '—';

/** As many decimals as an instrument of that size deserves. */
export function formatValue(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOTHING;
  const size = Math.abs(value);
  if (size >= 1e6 || (size > 0 && size < 1e-3)) return value.toExponential(2);
  if (size >= 100) return value.toFixed(1);
  return value.toFixed(size >= 1 ? 2 : 3);
}

/** `mg/m3` as `mg/m³`, `degC` as `°C`. */
export function formatUnit(unit: string): string {
  return unit.replaceAll(/m([23])(?!\d)/g, (_, power: string) => (power === '2' ? 'm²' : 'm³')).replaceAll('deg', '°');
}

const SIGN: Record<RuleKind, string> = {
  high: '≥',
  low: '≤',
  rise: '↑ ≥',
  fall: '↓ ≥',
  stale: '',
  bad: '',
  system: '',
  deviation: 'Δ ≥',
  stuck: 'Δ ≤',
  vote: '',
  expression: '',
  t2: '≥',
  spe: '≥',
};

/** A setpoint without needless zeros, as it was configured. */
export function formatSetpoint(setpoint: number): string {
  return String(Number(setpoint.toPrecision(6)));
}

/** The reading that decided; for a rate of change the rate, which is kept per second, per minute. */
export function formatDecisive(kind: RuleKind, value: number): string {
  return formatValue(isRate(kind) ? value * 60 : value);
}

/** Its setpoint is kept per second and shown per minute. */
export function isRate(kind: RuleKind): boolean {
  return kind === 'rise' || kind === 'fall';
}

/** `≥ 20`; a rate, which is kept per second, per minute; empty for rules that have no setpoint. */
export function formatLimit(kind: RuleKind, setpoint: number | null): string {
  if (setpoint === null || SIGN[kind] === '') return '';
  return `${SIGN[kind]} ${formatSetpoint(isRate(kind) ? setpoint * 60 : setpoint)}`;
}

/** Engineering unit of a limit. */
export function limitUnit(kind: RuleKind, unit: string): string {
  return isRate(kind) ? `${formatUnit(unit)}/min` : formatUnit(unit);
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let size = bytes;
  let index = 0;
  while (size >= 1000 && index < units.length - 1) {
    size /= 1000;
    index += 1;
  }
  return `${index === 0 ? String(size) : size.toFixed(1)} ${units[index] ?? ''}`;
}

/** `12 345`: thousands set off by a thin space, the same in both languages. */
export function formatCount(count: number): string {
  return String(Math.round(count)).replaceAll(/\B(?=(\d{3})+$)/g, '\u2009');
}
