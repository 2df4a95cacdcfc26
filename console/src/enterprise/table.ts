/** All enterprises as rows of a table. */

import { rank } from '@/alarms/grades';
import type { Enterprise, EnterpriseDays, Gateway, Incident } from '@/api/types';
import { joined, QUIET, type Standing } from '@/map/standing';

export interface EnterpriseRow extends Standing {
  id: string;
  name: string;
  region: string;
  /** The gravest level of its major hazard sources; null: it has none. */
  hazard: number | null;
  open: number;
  online: number;
  gateways: number;
  /** Of today; null: nothing is known. */
  rate: number | null;
  withoutLimits: number;
  tags: number;
}

export const COLUMNS = ['grade', 'name', 'region', 'hazard', 'open', 'alarms', 'online', 'rate', 'withoutLimits'] as const;
export type Column = (typeof COLUMNS)[number];

export interface Told {
  enterprises: readonly Enterprise[];
  gateways: readonly Gateway[];
  rates: readonly EnterpriseDays[];
  incidents: Iterable<Incident>;
  /** By `enterprise/unit`. */
  standings: ReadonlyMap<string, Standing>;
}

/** How it stands at an enterprise: all its units together. */
export function standingOf(standings: ReadonlyMap<string, Standing>, enterprise: string): Standing {
  const here = [...standings].filter(([path]) => path.startsWith(`${enterprise}/`)).map(([, standing]) => standing);
  return here.length === 0 ? QUIET : joined(here);
}

export function rowsOf({ enterprises, gateways, rates, incidents, standings }: Told): EnterpriseRow[] {
  const open = [...incidents].filter(({ drill }) => drill === null);
  return enterprises.map((one) => {
    const here = gateways.filter(({ enterprise }) => enterprise === one.id);
    const hazards = one.units.flatMap(({ hazard_level: level }) => level ?? []);
    return {
      ...standingOf(standings, one.id),
      id: one.id,
      name: one.name,
      region: one.region_name,
      hazard: hazards.length > 0 ? Math.min(...hazards) : null,
      open: open.filter(({ enterprise }) => enterprise === one.id).length,
      online: here.filter(({ status }) => status === 'online').length,
      gateways: here.length,
      rate: rates.find(({ enterprise }) => enterprise === one.id)?.days.at(-1)?.rate ?? null,
      withoutLimits: one.units.reduce((sum, unit) => sum + unit.tags_without_limits, 0),
      tags: one.units.reduce((sum, unit) => sum + unit.tags, 0),
    };
  });
}

/** What is worst is the greatest. */
const WEIGHT: Record<Exclude<Column, 'name' | 'region'>, (row: EnterpriseRow) => number> = {
  // What is real counts before a drill.
  grade: (row) => rank(row.grade) / (row.drill ? 10 : 1),
  hazard: (row) => -(row.hazard ?? 9),
  open: (row) => row.open,
  alarms: (row) => row.alarms,
  online: (row) => row.gateways - row.online,
  rate: (row) => (row.rate === null ? -1 : 1 - row.rate),
  withoutLimits: (row) => row.withoutLimits,
};

/** By a column, what is worst first (names from A), or the other way about; equals by grade, then by name. */
export function sorted(rows: readonly EnterpriseRow[], column: Column, reversed: boolean): EnterpriseRow[] {
  const byName = (a: EnterpriseRow, b: EnterpriseRow): number => a.name.localeCompare(b.name, 'zh');
  const by = (a: EnterpriseRow, b: EnterpriseRow): number => {
    if (column === 'name') return byName(a, b);
    if (column === 'region') return a.region.localeCompare(b.region, 'zh');
    return WEIGHT[column](b) - WEIGHT[column](a);
  };
  return [...rows].sort((a, b) => (reversed ? -by(a, b) : by(a, b)) || WEIGHT.grade(b) - WEIGHT.grade(a) || byName(a, b));
}
