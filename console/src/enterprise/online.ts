/** The daily online rate as it is shown. */

import type { OnlineDay } from '@/api/types';
import { NOTHING } from '@/format/numbers';

/** What a gateway should reach, as `alerting/kpi/targets.yaml` ships it. */
export const TARGET = 0.995;

export type Verdict = 'met' | 'missed' | 'unknown';

export function verdict(rate: number | null): Verdict {
  if (rate === null) return 'unknown';
  return rate >= TARGET ? 'met' : 'missed';
}

/** Rounded downward: 100 % only where not a millisecond is missing. */
export function formatRate(rate: number | null): string {
  if (rate === null) return NOTHING;
  if (rate === 1) return '100%';
  return `${(Math.floor(rate * 10_000 + 1e-9) / 100).toFixed(2)}%`;
}

export interface Row {
  date: string;
  rate: number | null;
  verdict: Verdict;
  /** Time known, and not online, of all gateways together. */
  lost: number;
  known: number;
  /** Gateways below the target, the worst first. */
  below: { name: string; rate: number }[];
}

interface Days {
  days: readonly OnlineDay[];
}

/** A row for each day, the newest first. */
export function rowsOf(whole: Days & { gateways: readonly (Days & { name: string })[] }): Row[] {
  const rows = whole.days.map<Row>((day, index) => ({
    date: day.date,
    rate: day.rate,
    verdict: verdict(day.rate),
    lost: day.known_ms - day.online_ms,
    known: day.known_ms,
    below: whole.gateways
      .flatMap(({ name, days }) => {
        const rate = days[index]?.rate ?? null;
        return rate !== null && rate < TARGET ? [{ name, rate }] : [];
      })
      .sort((a, b) => a.rate - b.rate),
  }));
  return rows.reverse();
}
