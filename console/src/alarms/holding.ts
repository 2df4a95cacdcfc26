/**
 * Keeps rows where they are while a person points at them. New rows wait outside and are counted; rows that left
 * stay until the list is released.
 */

import type { Alarm, Grade } from '@/api/types';

import { gravest } from '@/alarms/grades';

/** Without a movement for so long nobody is pointing any more. */
export const HOLD_MS = 20_000;

export interface Held {
  ids: readonly number[];
  waiting: number;
  /** The gravest among those that wait. */
  grade: Grade | null;
}

/** `shown`: ids on screen when the hold began; `current`: the list as it would be now. */
export function hold(shown: readonly number[], current: readonly Alarm[]): Held {
  const known = new Set(shown);
  const fresh = current.filter((alarm) => !known.has(alarm.id));
  return { ids: shown, waiting: fresh.length, grade: gravest(fresh.map((alarm) => alarm.grade)) };
}
