/** What an alarm's state asks of the officer. */

import type { Alarm, AlarmState } from '@/api/types';

export const STATES = [
  'unacknowledged',
  'latched_unacknowledged',
  'returned_unacknowledged',
  'acknowledged',
  'latched_acknowledged',
] as const satisfies readonly AlarmState[];

export function isUnacknowledged(state: AlarmState): boolean {
  return state === 'unacknowledged' || state === 'returned_unacknowledged' || state === 'latched_unacknowledged';
}

/** What a person can do to an alarm. */
export type Act = 'acknowledge' | 'reset' | 'comment' | 'shelve';

/** What is to be done next with an alarm; null: nothing but to wait. */
export function nextAct(state: AlarmState): 'acknowledge' | 'reset' | null {
  if (isUnacknowledged(state)) return 'acknowledge';
  return state === 'latched_acknowledged' ? 'reset' : null;
}

/** Of one tag's readings: not the service's and the gateways' own conditions, and none over several tags. */
export function hasSamples(alarm: Pick<Alarm, 'kind'>): boolean {
  return !['system', 'vote', 'expression', 't2', 'spe'].includes(alarm.kind);
}
