/** Which tags of an enterprise are shown, and in which order. */

import { rank } from '@/alarms/grades';
import { isUnacknowledged } from '@/alarms/states';
import { latestReading, tagView } from '@/alarms/tagStatus';
import type { Alarm, Tag, TagStatus } from '@/api/types';
import type { LiveReading } from '@/live/readings';

export const FILTERS = ['all', 'abnormal', 'alarm', 'stale', 'bad', 'no_limits'] as const;
export type Filter = (typeof FILTERS)[number];

const GATEWAYS = 'gateways';

export interface Known {
  alarms: ReadonlyMap<string, readonly Alarm[]>;
  /** By the tag's path. */
  readings: ReadonlyMap<string, LiveReading>;
}

/** Alarms of an enterprise by tag; of one kind at most those that are annunciated. */
export function alarmsByTag(alarms: Iterable<Alarm>, enterprise: string): Map<string, Alarm[]> {
  const found = new Map<string, Alarm[]>();
  for (const alarm of alarms) {
    if (alarm.enterprise === enterprise && alarm.unit !== GATEWAYS) found.set(alarm.tag, [...(found.get(alarm.tag) ?? []), alarm]);
  }
  return found;
}

/** Tags off screen are not subscribed: for them the list's own word counts, and the alarms. */
function statusOf(tag: Tag, { alarms, readings }: Known): TagStatus {
  const reading = latestReading(tag, readings.get(`${tag.enterprise}/${tag.tag}`));
  const { status } = tagView(tag, reading, alarms.get(tag.tag) ?? [], reading?.received ?? 0, true);
  return (status === 'normal' || status === 'no_limits') && tag.status === 'stale' ? 'stale' : status;
}

function matches(tag: Tag, filter: Filter, known: Known): boolean {
  if (filter === 'all') return true;
  if (filter === 'no_limits') return !tag.has_limits;
  const status = statusOf(tag, known);
  return filter === 'abnormal' ? status !== 'normal' && status !== 'no_limits' : status === filter;
}

/** What comes after the alarms that are in. */
const PLACES: Record<TagStatus | 'returned' | 'drill', number> = {
  alarm: 0,
  returned: 10,
  drill: 11,
  bad: 12,
  stale: 12,
  unknown: 12,
  no_limits: 13,
  normal: 14,
};

/** The lower, the further up: alarms by grade, not acknowledged before acknowledged, then what is not known. */
function placeOf(tag: Tag, known: Known): number {
  const alarms = known.alarms.get(tag.tag) ?? [];
  const real = alarms.filter(({ drill }) => drill === null);
  const inAlarm = real.filter(({ condition }) => condition);
  if (inAlarm.length > 0) return Math.min(...inAlarm.map(({ grade, state }) => 2 * (4 - rank(grade)) + (isUnacknowledged(state) ? 0 : 1)));
  if (real.length > 0) return PLACES.returned;
  return PLACES[alarms.length > 0 ? 'drill' : statusOf(tag, known)];
}

/** Of each tag, to be kept while somebody points at the list. */
export function placesOf(tags: readonly Tag[], known: Known): Map<string, number> {
  return new Map(tags.map((tag) => [tag.tag, placeOf(tag, known)]));
}

const { compare } = new Intl.Collator('en', { numeric: true });

export function byName(tags: readonly Tag[]): Tag[] {
  return [...tags].sort((a, b) => compare(a.tag, b.tag));
}

/** Tags of one place stay in the order that they have. */
export function byPlace(tags: readonly Tag[], places: ReadonlyMap<string, number>): Tag[] {
  const at = ({ tag }: Tag): number => places.get(tag) ?? PLACES.normal;
  return [...tags].sort((a, b) => at(a) - at(b));
}

export function tagsShown(tags: readonly Tag[], words: (tag: Tag) => string, search: string, filter: Filter, known: Known): Tag[] {
  const wanted = search.trim().toLowerCase();
  return tags.filter((tag) => (wanted === '' || words(tag).toLowerCase().includes(wanted)) && matches(tag, filter, known));
}
