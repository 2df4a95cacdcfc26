/**
 * What stands alone and what is told as one line. The service's main screen (`GET /watch`) follows the same rules:
 * orange and red stand alone, what follows from one cause is one line, and in a flood the rest is one line per unit.
 */

import type { Alarm, Grade, RuleKind } from '@/api/types';

import { gravest, rank } from '@/alarms/grades';
import type { IncidentGrade } from '@/alarms/ordering';
import { isUnacknowledged } from '@/alarms/states';

/** Conditions that say nothing of the process, so that a fault of forty instruments covers no leak. */
const INSTRUMENT_KINDS: ReadonlySet<RuleKind> = new Set<RuleKind>(['stale', 'bad', 'stuck', 'system']);

export interface AlarmLine {
  kind: 'alarm';
  /** Its id: thousands of lines are made many times a second. */
  key: number;
  alarm: Alarm;
  /** Belongs to the group above it. */
  within: boolean;
}

export interface GroupLine {
  kind: 'group';
  key: string;
  of: 'cause' | 'process' | 'instrument' | 'drill';
  /** The cause, where it is in itself; else the first-out. */
  head: Alarm;
  /** All of them, the head too, in the order of the list. */
  members: readonly Alarm[];
  grade: Grade;
  unacknowledged: number;
  open: boolean;
}

export type Line = AlarmLine | GroupLine;

export function pathOf(alarm: Pick<Alarm, 'enterprise' | 'tag' | 'rule'>): string {
  return `${alarm.enterprise}/${alarm.tag}/${alarm.rule}`;
}

/** True for what is never folded: orange or red by itself, or by its incident unless it says nothing of the process. */
export function standsAlone(alarm: Alarm, incidentGrade: IncidentGrade): boolean {
  if (rank(alarm.grade) >= rank('orange')) return true;
  if (INSTRUMENT_KINDS.has(alarm.kind) || alarm.cause !== null) return false;
  return rank(incidentGrade(alarm.incident)) >= rank('orange');
}

function scope(alarm: Alarm): string {
  return alarm.drill === null ? '' : `drill:${alarm.drill}:`;
}

/** The key under which an alarm's consequences are told. */
function causeKey(alarm: Alarm): string {
  return `cause:${scope(alarm)}${pathOf(alarm)}`;
}

function consequenceKey(alarm: Alarm, cause: string): string {
  return `cause:${scope(alarm)}${cause.replace(/^drill:\d+:/, '')}`;
}

type KeyOf = (alarm: Alarm) => string | null;

/** Groups of those alarms that follow from a cause which is known to be in, or from the same one; null: of none. */
function byCause(alarms: readonly Alarm[], incidentGrade: IncidentGrade): KeyOf | null {
  const sizes = new Map<string, number>();
  const consequence = (alarm: Alarm): string | null =>
    alarm.cause === null || standsAlone(alarm, incidentGrade) ? null : consequenceKey(alarm, alarm.cause);
  for (const alarm of alarms) {
    const key = consequence(alarm);
    if (key !== null) sizes.set(key, (sizes.get(key) ?? 0) + 1);
  }
  if (sizes.size === 0) return null;
  return (alarm) => {
    const key = consequence(alarm);
    if (key !== null) return key;
    return sizes.has(causeKey(alarm)) && !standsAlone(alarm, incidentGrade) ? causeKey(alarm) : null;
  };
}

function inFlood(cause: KeyOf | null, incidentGrade: IncidentGrade): KeyOf {
  return (alarm) => {
    if (alarm.drill !== null) return `drill:${alarm.drill}`;
    if (standsAlone(alarm, incidentGrade)) return null;
    const kind = INSTRUMENT_KINDS.has(alarm.kind) ? 'instrument' : 'process';
    return cause?.(alarm) ?? `${kind}:${alarm.enterprise}/${alarm.unit}`;
  };
}

function firstOut(members: readonly Alarm[]): Alarm | undefined {
  const marked = members.filter((alarm) => alarm.first_out);
  return (marked.length > 0 ? marked : members).reduce<Alarm | undefined>(
    (first, alarm) => (first === undefined || alarm.entered_at < first.entered_at ? alarm : first),
    undefined,
  );
}

function groupLine(key: string, members: readonly Alarm[], open: boolean): GroupLine | null {
  const cause = members.find((alarm) => alarm.cause === null && causeKey(alarm) === key);
  const head = cause ?? firstOut(members);
  if (head === undefined) return null;
  return {
    kind: 'group',
    key,
    of: key.split(':', 1)[0] as GroupLine['of'],
    head,
    members,
    grade: gravest(members.map((alarm) => alarm.grade)) ?? head.grade,
    unacknowledged: members.filter((alarm) => isUnacknowledged(alarm.state)).length,
    open,
  };
}

function alarmLine(alarm: Alarm, within: boolean): AlarmLine {
  return { kind: 'alarm', key: alarm.id, alarm, within };
}

/**
 * Lines of the list. `alarms` are in their order; `opened`: keys of the groups whose members are shown. A group stands
 * where the first of its members stands, in a flood below all that stands alone.
 */
export function arrange(
  alarms: readonly Alarm[],
  incidentGrade: IncidentGrade,
  flooded: boolean,
  opened: ReadonlySet<string>,
): Line[] {
  const cause = byCause(alarms, incidentGrade);
  const keyOf = flooded ? inFlood(cause, incidentGrade) : cause;
  if (keyOf === null) return alarms.map((alarm) => alarmLine(alarm, false));
  const members = new Map<string, Alarm[]>();
  const order: (Alarm | string)[] = [];
  for (const alarm of alarms) {
    const key = keyOf(alarm);
    if (key === null) {
      order.push(alarm);
      continue;
    }
    const known = members.get(key);
    if (known !== undefined) {
      known.push(alarm);
      continue;
    }
    members.set(key, [alarm]);
    order.push(key);
  }
  if (flooded) order.sort((a, b) => Number(typeof a === 'string') - Number(typeof b === 'string'));
  const lines: Line[] = [];
  for (const item of order) {
    if (typeof item !== 'string') {
      lines.push(alarmLine(item, false));
      continue;
    }
    const found = members.get(item) ?? [];
    const [only] = found;
    if (found.length === 1 && only !== undefined) {
      lines.push(alarmLine(only, false));
      continue;
    }
    const group = groupLine(item, found, opened.has(item));
    if (group === null) continue;
    lines.push(group);
    if (group.open) for (const alarm of found) lines.push(alarmLine(alarm, true));
  }
  return lines;
}
