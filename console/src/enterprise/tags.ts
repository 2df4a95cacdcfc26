/** Which tags of an enterprise are shown. */

import { latestReading, tagView } from '@/alarms/tagStatus';
import type { Alarm, Tag } from '@/api/types';
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

function matches(tag: Tag, filter: Filter, { alarms, readings }: Known): boolean {
  if (filter === 'all') return true;
  if (filter === 'no_limits') return !tag.has_limits;
  const reading = latestReading(tag, readings.get(`${tag.enterprise}/${tag.tag}`));
  // Tags off screen are not subscribed: for them the list's own word counts, and the alarms.
  const { status } = tagView(tag, reading, alarms.get(tag.tag) ?? [], reading?.received ?? 0, true);
  const known = status === 'normal' || status === 'no_limits' ? (tag.status === 'stale' ? 'stale' : status) : status;
  return filter === 'abnormal' ? known !== 'normal' && known !== 'no_limits' : known === filter;
}

export function tagsShown(tags: readonly Tag[], words: (tag: Tag) => string, search: string, filter: Filter, known: Known): Tag[] {
  const wanted = search.trim().toLowerCase();
  return tags.filter((tag) => (wanted === '' || words(tag).toLowerCase().includes(wanted)) && matches(tag, filter, known));
}
