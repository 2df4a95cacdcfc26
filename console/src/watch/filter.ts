/** The filter of the watch in the page's address, so that a view is a link; and what it hides. */

import { GRADES, gravest } from '@/alarms/grades';
import { EVERYTHING, passes, type Filter, type IncidentGrade } from '@/alarms/ordering';
import { isUnacknowledged, STATES } from '@/alarms/states';
import type { Alarm, Grade } from '@/api/types';

/** Values of an address as the router has them. */
export type Query = Record<string, unknown>;

/** Part of the address; each part is a filter by itself. */
export type Part = 'grade' | 'state' | 'region' | 'enterprise' | 'hazard' | 'measurand';

/** Levels 重大危险源 of GB 18218-2018; 0: none. */
export const HAZARDS = [1, 2, 3, 4, 0] as const;

/** What the filter asks for, in the order of its fields; empty for all alarms. */
export function toQuery(filter: Filter): Partial<Record<Part, string>> {
  return {
    ...(filter.grades.size > 0 && { grade: GRADES.filter((grade) => filter.grades.has(grade)).join(',') }),
    ...(filter.state !== 'any' && { state: filter.state }),
    ...(filter.region !== '' && { region: filter.region }),
    ...(filter.enterprise !== '' && { enterprise: filter.enterprise }),
    ...(filter.hazard !== null && { hazard: String(filter.hazard) }),
    ...(filter.measurand !== '' && { measurand: filter.measurand }),
  };
}

/** Anybody writes an address: what is not understood filters nothing. */
export function fromQuery(query: Query): Filter {
  const text = (part: Part): string => {
    const value = query[part];
    return typeof value === 'string' ? value : '';
  };
  const grades = text('grade').split(',');
  return {
    grades: new Set(GRADES.filter((grade) => grades.includes(grade))),
    state: ([...STATES, 'any_unacknowledged'] as const).find((state) => state === text('state')) ?? 'any',
    region: text('region'),
    enterprise: text('enterprise'),
    hazard: HAZARDS.find((level) => String(level) === text('hazard')) ?? null,
    measurand: text('measurand'),
  };
}

/** The same for every way to write the same filter. */
export function keyOf(filter: Filter): string {
  return new URLSearchParams(toQuery(filter)).toString();
}

export function hidesNothing(filter: Filter): boolean {
  return keyOf(filter) === '';
}

/** The filter without one of its parts. */
export function without(filter: Filter, part: Part): Filter {
  return part === 'grade' ? { ...filter, grades: EVERYTHING.grades } : { ...filter, [part]: EVERYTHING[part] };
}

/** Alarms that the filter keeps out of sight; a drill's are not counted. */
export interface Hidden {
  count: number;
  unacknowledged: number;
  grade: Grade | null;
  /** Red ones that nobody has acknowledged; a filter never hides them in silence. */
  red: Alarm[];
}

export function hiddenBy(alarms: Iterable<Alarm>, filter: Filter, incidentGrade: IncidentGrade): Hidden {
  const hidden: Hidden = { count: 0, unacknowledged: 0, grade: null, red: [] };
  if (hidesNothing(filter)) return hidden;
  for (const alarm of alarms) {
    if (alarm.drill !== null || passes(alarm, filter, incidentGrade)) continue;
    const grade = gravest([alarm.grade, incidentGrade(alarm.incident)]);
    hidden.count += 1;
    hidden.grade = gravest([hidden.grade, grade]);
    if (!isUnacknowledged(alarm.state)) continue;
    hidden.unacknowledged += 1;
    if (grade === 'red') hidden.red.push(alarm);
  }
  return hidden;
}
