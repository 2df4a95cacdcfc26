/**
 * Order and choice of the alarm list: unacknowledged first, then the graver grade, then the newer. What belongs to a
 * drill stands below what is real, and is not counted.
 */

import type { Alarm, AlarmState, Grade, Incident } from '@/api/types';

import { rank } from '@/alarms/grades';
import { isUnacknowledged } from '@/alarms/states';

/** Grade of the open incident that an alarm belongs to. */
export type IncidentGrade = (incident: number | null) => Grade | null;

export interface Filter {
  /** Alarms that have such a grade themselves, or belong to an incident that has it. */
  grades: ReadonlySet<Grade>;
  state: AlarmState | 'any' | 'any_unacknowledged';
  /** Empty: of all. */
  region: string;
  enterprise: string;
  /** 重大危险源等级 of the unit, 1 the gravest; 0: units that are none; null: all. */
  hazard: number | null;
  measurand: string;
}

/** What hides nothing. */
export const EVERYTHING: Filter = { grades: new Set(), state: 'any', region: '', enterprise: '', hazard: null, measurand: '' };

export function passes(alarm: Alarm, filter: Filter, incidentGrade: IncidentGrade): boolean {
  if (filter.grades.size > 0 && !filter.grades.has(alarm.grade)) {
    const grade = incidentGrade(alarm.incident);
    if (grade === null || !filter.grades.has(grade)) return false;
  }
  if (filter.enterprise !== '' && alarm.enterprise !== filter.enterprise) return false;
  if (filter.region !== '' && alarm.region !== filter.region) return false;
  if (filter.hazard !== null && (alarm.hazard_level ?? 0) !== filter.hazard) return false;
  if (filter.measurand !== '' && alarm.measurand !== filter.measurand) return false;
  if (filter.state === 'any') return true;
  if (filter.state === 'any_unacknowledged') return isUnacknowledged(alarm.state);
  return alarm.state === filter.state;
}

function urgency(alarm: Alarm): number {
  return (isUnacknowledged(alarm.state) ? 10 : 0) + rank(alarm.grade);
}

/** ISO 8601 strings in UTC with equal precision sort as text. */
function newerFirst(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? 1 : -1;
}

function realFirst(a: { drill: number | null }, b: { drill: number | null }): number {
  return Number(a.drill !== null) - Number(b.drill !== null);
}

function newestFirst(a: Alarm, b: Alarm): number {
  return newerFirst(a.entered_at, b.entered_at) || b.id - a.id;
}

export function compareAlarms(a: Alarm, b: Alarm): number {
  return realFirst(a, b) || urgency(b) - urgency(a) || newestFirst(a, b);
}

/** Thousands of alarms are put in order many times a second, so only those of equal urgency are compared. */
export function orderedAlarms(alarms: Iterable<Alarm>, filter: Filter, incidentGrade: IncidentGrade): Alarm[] {
  const real = new Map<number, Alarm[]>();
  const drills = new Map<number, Alarm[]>();
  for (const alarm of alarms) {
    if (!passes(alarm, filter, incidentGrade)) continue;
    const classes = alarm.drill === null ? real : drills;
    const of = urgency(alarm);
    const known = classes.get(of);
    if (known === undefined) classes.set(of, [alarm]);
    else known.push(alarm);
  }
  const mostUrgent = (classes: Map<number, Alarm[]>): Alarm[] =>
    [...classes].sort(([a], [b]) => b - a).flatMap(([, found]) => found.sort(newestFirst));
  return [...mostUrgent(real), ...mostUrgent(drills)];
}

export function orderedIncidents(incidents: Iterable<Incident>): Incident[] {
  return [...incidents].sort(
    (a, b) => realFirst(a, b) || rank(b.grade) - rank(a.grade) || newerFirst(a.opened_at, b.opened_at) || b.id - a.id,
  );
}

/** Open incidents beside what is counted of the alarms. */
export function countByGrade<Counted extends object>(
  { red, orange, yellow, blue }: Readonly<Record<Grade, Counted>>,
  incidents: Iterable<Incident>,
): Record<Grade, Counted & { incidents: number }> {
  const counts = {
    red: { ...red, incidents: 0 },
    orange: { ...orange, incidents: 0 },
    yellow: { ...yellow, incidents: 0 },
    blue: { ...blue, incidents: 0 },
  };
  for (const incident of incidents) if (incident.drill === null) counts[incident.grade].incidents += 1;
  return counts;
}
