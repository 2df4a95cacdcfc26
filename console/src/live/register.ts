/** The alarms and open incidents that the console knows, kept current by journal entries. No Vue, no network. */

import type { Alarm, Grade, Incident } from '@/api/types';

import { gravest, rank } from '@/alarms/grades';
import { Tally } from '@/live/tally';
import { Waiting } from '@/live/waiting';

/** How many alarms that went back to normal are remembered, for rows still on screen. */
const REMEMBERED = 500;

/** What happened while the service was out of reach. */
export interface Missed {
  alarms: number;
  returned: number;
  incidents: number;
  grade: Grade | null;
}

/** Two outages as one, for an officer who has not read of the first yet. */
export function together(a: Missed | null, b: Missed): Missed {
  if (a === null) return b;
  return {
    alarms: a.alarms + b.alarms,
    returned: a.returned + b.returned,
    incidents: a.incidents + b.incidents,
    grade: gravest([a.grade, b.grade]),
  };
}

export class Register {
  /** Those that are annunciated. */
  alarms = new Map<number, Alarm>();
  /** Those that are in, or unacknowledged, and not annunciated: shelved, by design, out of service. */
  suppressed = new Map<number, Alarm>();
  incidents = new Map<number, Incident>();
  /** Of those that are annunciated. */
  readonly tally = new Tally();
  readonly waiting = new Waiting();
  private readonly gone = new Map<number, Alarm>();

  /** Takes over lists just loaded; says what is new against those before. */
  replace(alarms: readonly Alarm[], incidents: readonly Incident[]): Missed {
    const before = this.alarms;
    const incidentsBefore = this.incidents;
    const current = alarms.filter((alarm) => alarm.state !== 'normal');
    const hidden = (alarm: Alarm): boolean => alarm.suppression !== null;
    this.alarms = new Map(current.filter((alarm) => !hidden(alarm)).map((alarm) => [alarm.id, alarm]));
    this.suppressed = new Map(current.filter(hidden).map((alarm) => [alarm.id, alarm]));
    this.incidents = new Map(incidents.filter((item) => item.closed_at === null).map((item) => [item.id, item]));
    for (const alarm of this.alarms.values()) this.count(before.get(alarm.id), alarm);
    for (const alarm of before.values()) if (!this.alarms.has(alarm.id)) this.count(alarm, undefined);
    const entered = [...this.alarms.values()].filter((alarm) => !before.has(alarm.id));
    const graver = [...this.incidents.values()].filter(({ id, grade }) => rank(grade) > rank(incidentsBefore.get(id)?.grade ?? null));
    return {
      alarms: entered.length,
      returned: [...before.keys()].filter((id) => !this.alarms.has(id) && !this.suppressed.has(id)).length,
      incidents: [...this.incidents.keys()].filter((id) => !incidentsBefore.has(id)).length,
      grade: gravest([...entered, ...graver].map(({ grade }) => grade)),
    };
  }

  applyAlarm(alarm: Alarm): void {
    const known = this.alarm(alarm.id);
    if (known !== undefined && known.sequence > alarm.sequence) return;
    const before = this.alarms.get(alarm.id);
    const annunciated = alarm.state !== 'normal' && alarm.suppression === null;
    if (before !== undefined || annunciated) this.count(before, annunciated ? alarm : undefined);
    this.alarms.delete(alarm.id);
    this.suppressed.delete(alarm.id);
    this.gone.delete(alarm.id);
    if (alarm.state !== 'normal') {
      (alarm.suppression === null ? this.alarms : this.suppressed).set(alarm.id, alarm);
      return;
    }
    this.gone.set(alarm.id, alarm);
    const oldest = this.gone.keys().next();
    if (this.gone.size > REMEMBERED && oldest.done !== true) this.gone.delete(oldest.value);
  }

  applyIncident(incident: Incident): void {
    const known = this.incidents.get(incident.id);
    if (known !== undefined && known.sequence > incident.sequence) return;
    if (incident.closed_at === null) this.incidents.set(incident.id, incident);
    else this.incidents.delete(incident.id);
  }

  /** Grade of an open incident; null where it is not open, or the alarm has none. */
  gradeOf(incident: number | null): Grade | null {
    return incident === null ? null : (this.incidents.get(incident)?.grade ?? null);
  }

  /** An alarm that is in, annunciated or not, or that was until a moment ago. */
  alarm(id: number): Alarm | undefined {
    return this.alarms.get(id) ?? this.suppressed.get(id) ?? this.gone.get(id);
  }

  private count(before: Alarm | undefined, after: Alarm | undefined): void {
    this.tally.change(before, after);
    this.waiting.change(before, after);
  }
}
