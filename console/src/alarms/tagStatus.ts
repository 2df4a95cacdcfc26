/** What may be said of a tag now. "Normal" only if it is known to be. */

import type { Alarm, Grade, Tag, TagStatus } from '@/api/types';
import type { LiveReading } from '@/live/readings';

import { gravest } from '@/alarms/grades';
import { GOOD, UNCERTAIN } from '@/alarms/quality';
import { hasSamples } from '@/alarms/states';

/** The page hears of a reading up to a second late, and a network is no wire. */
const GRACE_MS = 2_000;

/** Stale after three times the expected period. */
export function staleAfter(tag: Pick<Tag, 'period_ms'>): number {
  return 3 * tag.period_ms + GRACE_MS;
}

/** The reading on screen: live, else the one that the list came with. */
export function latestReading(tag: Tag, live: LiveReading | undefined): LiveReading | undefined {
  if (tag.latest === null) return live;
  const { value, quality, source_time: time, received_time: received } = tag.latest;
  if (live !== undefined && live.time !== time) return live;
  return { value, quality, ...live, time, received: Date.parse(received) };
}

export interface TagView {
  status: TagStatus;
  grade: Grade | null;
}

/** `alarms`: those of this tag. `current`: whether what is not among them is not there. */
export function tagView(
  tag: Tag,
  reading: LiveReading | undefined,
  alarms: readonly Alarm[],
  now: number,
  current: boolean,
): TagView {
  const inAlarm = alarms.filter((alarm) => alarm.condition);
  const grade = gravest(inAlarm.map((alarm) => alarm.grade));
  if (!current) return { status: 'unknown', grade: null };
  if (inAlarm.some((alarm) => alarm.kind !== 'stale' && alarm.kind !== 'bad' && hasSamples(alarm))) {
    return { status: 'alarm', grade };
  }
  if (reading === undefined) return { status: tag.status === 'stale' ? 'stale' : 'unknown', grade };
  if (now - reading.received > staleAfter(tag)) return { status: 'stale', grade };
  if (reading.quality < UNCERTAIN) return { status: 'bad', grade };
  if (!tag.has_limits) return { status: 'no_limits', grade };
  return { status: reading.quality < GOOD ? 'unknown' : 'normal', grade };
}
