/** What has to sound now: everything unacknowledged that no silence covers. No DOM, no Vue. */

import type { Alarm, Grade, Incident, Silence } from '@/api/types';

import { gravest, rank } from '@/alarms/grades';
import { isUnacknowledged } from '@/alarms/states';
import type { Register } from '@/live/register';
import { isSilenced } from '@/sound/silences';
import type { Tone } from '@/sound/patterns';

/** One matter that an officer has to look at: an incident, or an alarm that has none. */
export interface Subject {
  /** `incident:3`, `alarm:17`. */
  key: string;
  grade: Grade;
  drill: boolean;
  /** Those that are not acknowledged, gravest first, of equal ones the first-out. */
  alarms: readonly Alarm[];
  /** There where the desk has to acknowledge the incident itself. */
  incident: Incident | null;
}

/** The incident itself waits for the desk, be all its alarms acknowledged: it may have turned graver since. */
export function waitsForDesk(incident: Incident): boolean {
  return incident.missing_steps.includes('desk_acknowledged');
}

/** A process alarm of an incident counts as much as the incident; an instrument's fault says nothing of the process. */
function gradeOf(alarm: Alarm, register: Register): Grade {
  const incident = alarm.level === 'FAULT' ? null : register.gradeOf(alarm.incident);
  return gravest([alarm.grade, incident]) ?? alarm.grade;
}

/** Gravest first; the real before drills; in the order in which they came. */
export function subjectsOf(register: Register, silences: readonly Silence[], desk: string): Subject[] {
  const found = new Map<string, { grade: Grade; drill: boolean; alarms: Alarm[]; incident: Incident | null }>();
  for (const alarm of register.alarms.values()) {
    if (!isUnacknowledged(alarm.state)) continue;
    const grade = gradeOf(alarm, register);
    if (isSilenced(silences, { alarm }, grade, desk)) continue;
    const key = alarm.incident === null ? `alarm:${alarm.id}` : `incident:${alarm.incident}`;
    const subject = found.get(key);
    if (subject === undefined) found.set(key, { grade, drill: alarm.drill !== null, alarms: [alarm], incident: null });
    else {
      subject.alarms.push(alarm);
      subject.grade = gravest([subject.grade, grade]) ?? grade;
    }
  }
  for (const incident of register.incidents.values()) {
    const { grade } = incident;
    if (!waitsForDesk(incident) || isSilenced(silences, { incident }, grade, desk)) continue;
    const key = `incident:${incident.id}`;
    const subject = found.get(key) ?? { grade, drill: incident.drill !== null, alarms: [], incident };
    found.set(key, { ...subject, grade: gravest([subject.grade, grade]) ?? grade, incident });
  }
  return [...found]
    .map(([key, subject]) => ({ key, ...subject, alarms: subject.alarms.sort(byWeight) }))
    .sort((a, b) => rank(b.grade) - rank(a.grade) || Number(a.drill) - Number(b.drill));
}

function byWeight(a: Alarm, b: Alarm): number {
  return rank(b.grade) - rank(a.grade) || Number(b.first_out) - Number(a.first_out) || a.id - b.id;
}

/** Patterns that take turns. */
export interface Part {
  tone: Tone;
  drill: boolean;
}

export interface Due {
  parts: readonly Part[];
  /** Everything that sounds: what is not among those before is new. */
  ids: ReadonlySet<string>;
}

export const NOTHING: Due = { parts: [], ids: new Set() };

/**
 * The gravest grade decides. Where it is only a drill's, what is real and less grave takes turns with it; so does the
 * loss of the service with what was not acknowledged before it.
 */
export function dueOf(subjects: readonly Subject[], lost: boolean): Due {
  const real = gravest(subjects.filter((each) => !each.drill).map((each) => each.grade));
  const drill = gravest(subjects.filter((each) => each.drill).map((each) => each.grade));
  const parts: Part[] = [];
  if (lost) parts.push({ tone: 'lost', drill: false });
  if (real !== null) parts.push({ tone: real, drill: false });
  if (drill !== null && rank(drill) > rank(real)) parts.push({ tone: drill, drill: true });
  const ids = new Set(subjects.flatMap(({ key, alarms }) => [key, ...alarms.map(({ id }) => String(id))]));
  if (lost) ids.add('lost');
  return { parts, ids };
}

/** What a silence is asked for. */
export interface Target {
  scope: Silence['scope'];
  target: string;
}

/** The narrowest silences that cover what sounds: a lone alarm, else its unit. */
export function targetsOf(subjects: readonly Subject[]): Target[] {
  const units = new Map<string, { alarms: number[]; whole: boolean }>();
  for (const { alarms, incident } of subjects) {
    for (const of of [...alarms, ...(incident === null ? [] : [incident])]) {
      const key = `${of.enterprise}/${of.unit}`;
      const unit = units.get(key) ?? { alarms: [], whole: false };
      if (of === incident) unit.whole = true;
      else unit.alarms.push(of.id);
      units.set(key, unit);
    }
  }
  return [...units].map(([unit, { alarms, whole }]) => {
    const [lone] = alarms;
    return !whole && alarms.length === 1 && lone !== undefined
      ? { scope: 'alarm', target: String(lone) }
      : { scope: 'unit', target: unit };
  });
}
