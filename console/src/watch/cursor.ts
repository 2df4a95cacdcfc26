/** Which line of the alarm list the keyboard stands on. Kept by its key, so that it stays on its alarm when lines move. */

import type { Line } from '@/alarms/grouping';
import { isUnacknowledged } from '@/alarms/states';
import type { Alarm } from '@/api/types';

export interface Cursor {
  key: Line['key'];
  /** Where it stood last; the place to go on from where the line is gone. */
  index: number;
}

export function indexOf(lines: readonly Line[], cursor: Cursor | null): number {
  return cursor === null ? -1 : lines.findIndex(({ key }) => key === cursor.key);
}

/** So many lines down, or up where negative; it stops at the ends. Null: there are no lines. */
export function stepped(lines: readonly Line[], cursor: Cursor | null, by: number): Cursor | null {
  const found = indexOf(lines, cursor);
  // In place of a line that is gone stands the one below it.
  const from = found >= 0 || cursor === null ? found : cursor.index - (by > 0 ? 1 : 0);
  const start = cursor === null && by < 0 ? lines.length : from;
  const index = Math.max(0, Math.min(lines.length - 1, start + by));
  const line = lines[index];
  return line === undefined ? null : { key: line.key, index };
}

/** What stands on a line: an alarm, or all that are told as one. */
export function alarmsOn(line: Line | undefined): readonly Alarm[] {
  if (line === undefined) return [];
  return line.kind === 'group' ? line.members : [line.alarm];
}

/** Those that somebody has to acknowledge, and may. */
export function waiting(alarms: readonly Alarm[]): Alarm[] {
  return alarms.filter((alarm) => isUnacknowledged(alarm.state) && alarm.suppression === null);
}

/** All of the unit that an alarm is of; a drill's alarms are apart. */
export function sameUnit(alarms: readonly Alarm[], of: Alarm | undefined): Alarm[] {
  if (of === undefined) return [];
  return alarms.filter(({ enterprise, unit, drill }) => enterprise === of.enterprise && unit === of.unit && drill === of.drill);
}

/** What an acknowledgement by keyboard is of: the selection, else the line; where the keyboard stands on none, the first of `rows` that waits. */
export function toAcknowledge(selection: readonly Alarm[], line: Line | undefined, rows: readonly Alarm[]): readonly Alarm[] {
  if (selection.length > 0) return selection;
  return line === undefined ? waiting(rows).slice(0, 1) : alarmsOn(line);
}
