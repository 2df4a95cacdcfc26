/** Silences 消音 as the service has them, kept current by journal entries; and what each of them covers. */

import type { Alarm, Entry, Grade, Incident, Silence } from '@/api/types';

const SCOPES = ['alarm', 'unit', 'desk'] as const satisfies readonly Silence['scope'][];

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The silence that an entry tells of; null where it is not one that we understand. */
function begun({ at, data }: Entry): Silence | null {
  const scope = SCOPES.find((known) => known === data.scope);
  if (scope === undefined || typeof data.silence !== 'number' || typeof data.until !== 'number') return null;
  return {
    id: data.silence,
    scope,
    target: textOf(data.target),
    silenced_at: at,
    until: new Date(data.until).toISOString(),
    reason: textOf(data.reason),
    name: textOf(data.name),
    second: typeof data.second === 'string' ? data.second : null,
    ended_at: null,
    ended_by: null,
  };
}

/** The list after an entry of the journal; the same list where the entry says nothing of it. */
export function followed(silences: readonly Silence[], entry: Entry): readonly Silence[] {
  const { kind, data } = entry;
  if (kind === 'sound.resumed') return silences.filter((each) => each.id !== data.silence);
  const silence = kind === 'sound.silenced' ? begun(entry) : null;
  return silence === null ? silences : [...silences.filter((each) => each.id !== silence.id), silence];
}

/** Those whose time is not over. The service ends them too; a console that has lost it must not wait for that. */
export function inForce(silences: readonly Silence[], now: number): readonly Silence[] {
  return silences.filter((each) => Date.parse(each.until) > now);
}

/** What sounds: one alarm, or an incident as a whole. */
export type Source =
  | { alarm: Pick<Alarm, 'id' | 'enterprise' | 'unit'> }
  | { alarm?: undefined; incident: Pick<Incident, 'enterprise' | 'unit'> };

function covers(silence: Silence, source: Source, desk: string): boolean {
  if (silence.scope === 'desk') return desk !== '' && silence.target === desk;
  if (silence.scope === 'alarm') return source.alarm !== undefined && String(source.alarm.id) === silence.target;
  const { enterprise, unit } = source.alarm ?? source.incident;
  return silence.target === `${enterprise}/${unit}`;
}

/**
 * Whether it is silent at a console. `desk`: where the console stands; another desk's silence is that desk's alone.
 * What is red never is by the act of one person, whatever the list says for a moment.
 */
export function isSilenced(silences: readonly Silence[], source: Source, grade: Grade, desk: string): boolean {
  return silences.some((each) => (grade !== 'red' || each.second !== null) && covers(each, source, desk));
}
