/** How each enterprise stands: the gravest that is open there, and where. */

import { gravest, rank } from '@/alarms/grades';
import type { Alarm, Enterprise, Grade, Incident } from '@/api/types';

export interface Standing {
  id: string;
  name: string;
  region: string;
  /** Null: the enterprises have not been read. */
  units: number | null;
  /** Of what is real; null: nothing is open. */
  grade: Grade | null;
  /** Gravest first, drills last. */
  open: { unit: string; name: string; grade: Grade; drill: boolean }[];
}

/** Of each tag its gravest alarm, the gravest first and the newer of two: an acknowledgement makes none less grave. */
export function gravestByTag(alarms: Iterable<Alarm>): Alarm[] {
  const order = [...alarms].sort((a, b) => rank(b.grade) - rank(a.grade) || Date.parse(b.entered_at) - Date.parse(a.entered_at));
  const first = new Map<string, Alarm>();
  for (const alarm of order) if (!first.has(alarm.tag)) first.set(alarm.tag, alarm);
  return [...first.values()];
}

/** Those with the gravest first; those where nothing is open as they come. */
export function standingsOf(enterprises: readonly Enterprise[], incidents: Iterable<Incident>): Standing[] {
  const all = [...incidents];
  const known = new Map(enterprises.map((one) => [one.id, one]));
  const ids = new Set([...known.keys(), ...all.map(({ enterprise }) => enterprise)]);
  const standings = [...ids].map<Standing>((id) => {
    const one = known.get(id);
    const here = all.filter(({ enterprise }) => enterprise === id);
    const real = here.filter(({ drill }) => drill === null);
    return {
      id,
      name: one?.name ?? here[0]?.enterprise_name ?? id,
      region: one?.region_name ?? '',
      units: one?.units.length ?? null,
      grade: gravest(real.map(({ grade }) => grade)),
      open: here
        .map(({ unit, unit_name: name, grade, drill }) => ({ unit, name, grade, drill: drill !== null }))
        .sort((a, b) => Number(a.drill) - Number(b.drill) || rank(b.grade) - rank(a.grade)),
    };
  });
  return standings.sort((a, b) => rank(b.grade) - rank(a.grade) || b.open.length - a.open.length);
}
