/** What has to sound now: everything unacknowledged that no silence covers. No DOM, no Vue. */

import type { Alarm, Grade, Incident, Silence } from '@/api/types';

import { gravest, rank } from '@/alarms/grades';
import type { Register } from '@/live/register';
import { Matter } from '@/live/waiting';
import { isSilenced } from '@/sound/silences';
import type { Tone } from '@/sound/patterns';

/** One matter that an officer has to look at: an incident, or an alarm that has none. */
export interface Subject {
  /** `incident:3`, `alarm:17`. */
  key: string;
  grade: Grade;
  drill: boolean;
  /** How many are not acknowledged. */
  count: number;
  /** Grows when another joins. */
  newest: number;
  /** Those that are not acknowledged when it is first asked for them, gravest first, of equal ones the first-out. */
  readonly alarms: readonly Alarm[];
  /** There where the desk has to acknowledge the incident itself. */
  incident: Incident | null;
}

/** The incident itself waits for the desk, be all its alarms acknowledged: it may have turned graver since. */
export function waitsForDesk(incident: Incident): boolean {
  return incident.missing_steps.includes('desk_acknowledged');
}

const NOBODY = new Matter();

function subjectOf(key: string, matter: Matter, grade: Grade, incident: Incident | null): Subject {
  let alarms: readonly Alarm[] | undefined;
  return {
    key,
    grade,
    drill: matter.size > 0 ? matter.drill : incident?.drill !== null,
    count: matter.size,
    newest: matter.newest,
    get alarms() {
      return (alarms ??= matter.byWeight());
    },
    incident,
  };
}

/** Gravest first; the real before drills; in the order in which they came. */
export function subjectsOf(register: Register, silences: readonly Silence[], desk: string): Subject[] {
  const found: Subject[] = [];
  const waits = (id: number): Incident | null => {
    const incident = register.incidents.get(id);
    return incident !== undefined && waitsForDesk(incident) && !isSilenced(silences, { incident }, incident.grade, desk)
      ? incident
      : null;
  };
  for (const [id, all] of register.waiting.matters) {
    const of = id > 0 ? register.gradeOf(id) : null;
    const audible = (alarm: Alarm): boolean => {
      const grade = gravest([alarm.grade, alarm.level === 'FAULT' ? null : of]) ?? alarm.grade;
      return !isSilenced(silences, { alarm }, grade, desk);
    };
    const matter = silences.length === 0 ? all : all.only(audible);
    const incident = id > 0 ? waits(id) : null;
    const grade = gravest([matter.grade(of), incident?.grade ?? null]);
    if (grade !== null) found.push(subjectOf(id > 0 ? `incident:${id}` : `alarm:${-id}`, matter, grade, incident));
  }
  for (const id of register.incidents.keys()) {
    const incident = register.waiting.matters.has(id) ? null : waits(id);
    if (incident !== null) found.push(subjectOf(`incident:${id}`, NOBODY, incident.grade, incident));
  }
  return found.sort((a, b) => rank(b.grade) - rank(a.grade) || Number(a.drill) - Number(b.drill));
}

/** Patterns that take turns. */
export interface Part {
  tone: Tone;
  drill: boolean;
}

export interface Due {
  parts: readonly Part[];
  /** The matters that sound, and how many alarms they have in all. */
  keys: ReadonlySet<string>;
  count: number;
  /** Grows when an alarm joins. */
  newest: number;
}

export const NOTHING: Due = { parts: [], keys: new Set(), count: 0, newest: 0 };

/** Something sounds now that did not before. */
export function isNew(due: Due, before: Due): boolean {
  if (due.newest > before.newest || due.count > before.count) return true;
  for (const key of due.keys) if (!before.keys.has(key)) return true;
  return false;
}

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
  const keys = new Set(subjects.map(({ key }) => key));
  if (lost) keys.add('lost');
  const count = subjects.reduce((sum, each) => sum + each.count, 0);
  const newest = subjects.reduce((found, each) => Math.max(found, each.newest), 0);
  return { parts, keys, count, newest };
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
