/** How it stands at each unit: the gravest of its open incidents and of its alarms, and whether gas is in the open. */

import { gravest, rank } from '@/alarms/grades';
import { isUnacknowledged } from '@/alarms/states';
import type { Alarm, Grade, Incident } from '@/api/types';
import type { Register } from '@/live/register';

export interface Standing {
  grade: Grade | null;
  /** Nothing of it is real: there is only what a drill plays. */
  drill: boolean;
  /** The open incident of the highest grade. */
  incident: number | null;
  alarms: number;
  unacknowledged: number;
  /** An open incident began at a gas detector, and gas is still measured. */
  release: boolean;
}

export const QUIET: Standing = { grade: null, drill: false, incident: null, alarms: 0, unacknowledged: 0, release: false };

/** Oxygen says what is missing, methane is that of a mine's air: neither drifts over the county [ours]. */
const DRIFTING: ReadonlySet<Alarm['gas']> = new Set<Alarm['gas']>(['flammable', 'toxic']);

function isRelease(members: readonly Alarm[]): boolean {
  const marked = members.filter((alarm) => alarm.first_out);
  const first = (marked.length > 0 ? marked : members).reduce<Alarm | null>(
    (known, alarm) => (known === null || alarm.entered_at < known.entered_at ? alarm : known),
    null,
  );
  if (first === null || !DRIFTING.has(first.gas)) return false;
  return members.some((alarm) => alarm.condition && DRIFTING.has(alarm.gas));
}

interface Found {
  incidents: Incident[];
  alarms: Alarm[];
}

function standingOf({ incidents, alarms }: Found): Standing {
  const isDrill = !incidents.some(({ drill }) => drill === null) && !alarms.some(({ drill }) => drill === null);
  const counted = incidents.filter(({ drill }) => isDrill || drill === null);
  const members = alarms.filter(({ drill }) => isDrill || drill === null);
  const worst = counted.reduce<Incident | null>(
    (known, one) => (known === null || rank(one.grade) > rank(known.grade) ? one : known),
    null,
  );
  return {
    grade: gravest([...counted, ...members].map(({ grade }) => grade)),
    drill: isDrill,
    incident: worst?.id ?? null,
    alarms: members.length,
    unacknowledged: members.filter(({ state }) => isUnacknowledged(state)).length,
    release: counted.some(({ id }) => isRelease(members.filter(({ incident }) => incident === id))),
  };
}

/** By `enterprise/unit`; a unit at which nothing is has none. */
export function standings(register: Pick<Register, 'alarms' | 'incidents'>): Map<string, Standing> {
  const found = new Map<string, Found>();
  const at = (of: { enterprise: string; unit: string }): Found => {
    const key = `${of.enterprise}/${of.unit}`;
    const known = found.get(key) ?? { incidents: [], alarms: [] };
    found.set(key, known);
    return known;
  };
  for (const incident of register.incidents.values()) at(incident).incidents.push(incident);
  for (const alarm of register.alarms.values()) at(alarm).alarms.push(alarm);
  return new Map([...found].map(([key, one]) => [key, standingOf(one)]));
}

/** Several as one: of an enterprise, of a region. What is real counts before any drill. */
export function joined(all: readonly Standing[]): Standing {
  const abnormal = all.filter(({ grade }) => grade !== null);
  const real = abnormal.filter(({ drill }) => !drill);
  const counted = real.length > 0 ? real : abnormal;
  const [first, ...rest] = counted;
  if (first === undefined) return QUIET;
  return rest.reduce<Standing>(
    (known, one) => ({
      grade: gravest([known.grade, one.grade]),
      drill: known.drill,
      incident: rank(one.grade) > rank(known.grade) ? (one.incident ?? known.incident) : (known.incident ?? one.incident),
      alarms: known.alarms + one.alarms,
      unacknowledged: known.unacknowledged + one.unacknowledged,
      release: known.release || one.release,
    }),
    first,
  );
}
