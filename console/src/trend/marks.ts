/** When the alarms of a tag entered: each time, and after which on-delay. */

import { hasSamples } from '@/alarms/states';
import type { Alarm, Entry, Grade, Tag } from '@/api/types';

/** When an alarm entered. */
export interface Mark {
  at: number;
  grade: Grade;
  /** On-delay, ms: the condition had held for so long by then. */
  delay: number;
}

/** An alarm itself knows the last time only; the times before are in the journal. */
export function marksOf(tag: Pick<Tag, 'limits'>, alarms: readonly Alarm[], entries: readonly Entry[] = []): Mark[] {
  return alarms.filter(hasSamples).flatMap((alarm) => {
    const limit = tag.limits.find(({ key }) => key === alarm.rule);
    const found = new Map<number, Mark>();
    const add = (at: number, grade: Grade, version: unknown): void => {
      // How long the delay was under another version of the rule is not known here.
      found.set(at, { at, grade, delay: limit?.version === version ? (limit?.on_delay_ms ?? 0) : 0 });
    };
    for (const { kind, alarm: id, data } of entries) {
      if (kind === 'alarm.entered' && id === alarm.id && typeof data.source_time === 'number') {
        add(data.source_time, data.grade as Grade, data.rule_version);
      }
    }
    add(Date.parse(alarm.entered_at), alarm.grade, alarm.rule_version);
    return [...found.values()];
  });
}
