/** The key figures beside their targets. */

import { GRADES } from '@/alarms/grades';
import type { Grade, KeyFigures } from '@/api/types';

const DAY = 86_400_000;

export type Name = keyof KeyFigures['met'];

/** `value`, `target`: parameters of the messages `kpi.value.<name>` and `kpi.target.<name>`. */
export interface Measure {
  name: Name;
  value: Record<string, string | number>;
  target: Record<string, string | number>;
  /** null: not graded. */
  met: boolean | null;
}

/** Two digits after the point at most, and never a small share told as none. */
export function percent(share: number | null): string {
  if (share === null) return '—';
  const value = share * 100;
  return value > 0 && value < 0.01 ? '< 0.01 %' : `${Number(value.toFixed(2))} %`;
}

export function decimal(value: number): string {
  return value > 0 && value < 0.01 ? '< 0.01' : String(Number(value.toFixed(2)));
}

/** From the gravest on. */
function shares(of: (grade: Grade) => number): string {
  return GRADES.map((grade) => percent(of(grade))).join(' / ');
}

export function measuresOf(figures: KeyFigures): Measure[] {
  const { targets, met, stale_per_day: stale } = figures;
  const all: [Name, Measure['value'], Measure['target']][] = [
    ['average', { n: decimal(figures.average_per_ten_minutes), peak: figures.peak_per_ten_minutes }, { n: targets.average, most: targets.manageable }],
    ['busy', { share: percent(figures.busy_share) }, { share: percent(targets.busy), above: targets.busy_above }],
    ['flood', { n: figures.floods.length, share: percent(figures.flood_share) }, { share: percent(targets.flood) }],
    ['top_ten', { share: percent(figures.top_ten_share) }, { share: percent(targets.top_ten) }],
    ['chattering', { n: figures.chattering.length }, {}],
    ['fleeting', { n: figures.fleeting.length }, { within: targets.fleeting_within }],
    ['stale', { n: stale.most, mean: decimal(stale.mean) }, { n: targets.stale }],
    ['priorities', { shares: shares((grade) => figures.priorities[grade]?.share ?? 0) }, { shares: shares((grade) => targets.priorities[grade] ?? 0) }],
    ['unsigned_suppressions', { n: figures.unsigned_suppressions }, {}],
    ['unsigned_changes', { n: figures.unsigned_changes }, {}],
    ['online', { share: percent(figures.online_rate), n: figures.gateways }, { share: percent(targets.online) }],
  ];
  return all.map(([name, value, target]) => ({ name, value, target, met: met[name] ?? null }));
}

/** How much of the period that was asked for there is, and from when on it can be graded. */
export interface Coverage {
  /** Days that were asked for, and that the figures are of. */
  asked: number;
  days: number;
  /** The journal begins later than was asked for. */
  cut: boolean;
  graded: boolean;
  /** When the journal will be long enough, ms; null: it is, or a longer period is to be chosen. */
  gradedFrom: number | null;
}

export function coverageOf(figures: KeyFigures, [start, end]: readonly [number, number], now: number): Coverage {
  const begins = Date.parse(figures.start);
  const cut = begins - start > 60_000;
  const from = begins + figures.graded_from_days * DAY;
  return {
    asked: (Math.min(end, Math.max(now, start)) - start) / DAY,
    days: figures.days,
    cut,
    graded: figures.graded,
    gradedFrom: !figures.graded && cut && from > now ? from : null,
  };
}

/** A condition's path is `enterprise/tag/rule`. */
export function partsOf(path: string): { enterprise: string; tag: string; rule: string } {
  const parts = path.split('/');
  return { enterprise: parts[0] ?? '', tag: parts.slice(1, -1).join('/'), rule: parts.at(-1) ?? '' };
}

/** A condition in a list of them. */
export interface Row {
  path: string;
  unit: string;
  description: string;
  /** What is counted of it, in words. */
  count: string;
}
