/** Counts what the journal brings in after a reconnect, until it has reached the service's present. */

import type { LiveMessage } from '@/api/types';
import type { Missed } from '@/live/register';

import { gravest } from '@/alarms/grades';

type EntryMessage = Extract<LiveMessage, { type: 'entry' }>;

/** An incident is graver than each of its alarms at times, and rises without a new one. */
const WORSE = new Set(['incident.opened', 'incident.graded', 'incident.reopened']);

export class CatchUp {
  readonly missed: Missed = { alarms: 0, returned: 0, incidents: 0, grade: null };
  private readonly until: number;

  /** `until`: the sequence that the service named in its hello. */
  constructor(until: number) {
    this.until = until;
  }

  /** True while `message` still belongs to the time of the outage. */
  count(message: EntryMessage): boolean {
    if (message.sequence > this.until) return false;
    const { kind } = message.entry;
    if (kind === 'alarm.entered') {
      this.missed.alarms += 1;
      this.missed.grade = gravest([this.missed.grade, message.alarm?.grade ?? null]);
    }
    if (kind === 'alarm.returned') this.missed.returned += 1;
    if (kind === 'incident.opened') this.missed.incidents += 1;
    if (WORSE.has(kind)) this.missed.grade = gravest([this.missed.grade, message.incident?.grade ?? null]);
    return true;
  }

  reached(sequence: number): boolean {
    return sequence >= this.until;
  }
}
