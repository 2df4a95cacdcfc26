/**
 * The register's alarms in the order of the list, kept from one look to the next. With ten thousand of them and
 * hundreds of changes a second, only what has changed is put in its place; nothing is sorted again. No Vue.
 */

import { compareAlarms } from '@/alarms/ordering';
import type { Alarm } from '@/api/types';

/** Share of new alarms above which sorting all is cheaper. */
const MANY = 0.25;

/** Index of the first of `sorted` that `alarm` stands before. */
function placeOf(sorted: readonly Alarm[], alarm: Alarm, from: number): number {
  let low = from;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = sorted[middle];
    if (other !== undefined && compareAlarms(other, alarm) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

export class SortedAlarms {
  private sorted: readonly Alarm[] = [];

  /** `alarms` by their ids, where an alarm that changed stands behind all that did not, as in the register. */
  of(alarms: ReadonlyMap<number, Alarm>): readonly Alarm[] {
    const kept = this.sorted.filter((alarm) => alarms.get(alarm.id) === alarm);
    const entered = alarms.size - kept.length;
    if (entered === 0 && kept.length === this.sorted.length) return this.sorted;
    if (entered > alarms.size * MANY) return (this.sorted = [...alarms.values()].sort(compareAlarms));
    const fresh: Alarm[] = [];
    let index = 0;
    for (const alarm of alarms.values()) {
      if (index >= kept.length) fresh.push(alarm);
      index += 1;
    }
    return (this.sorted = merged(kept, fresh.sort(compareAlarms)));
  }
}

function merged(kept: readonly Alarm[], fresh: readonly Alarm[]): Alarm[] {
  const parts: (readonly Alarm[])[] = [];
  let done = 0;
  for (const alarm of fresh) {
    const place = placeOf(kept, alarm, done);
    parts.push(kept.slice(done, place), [alarm]);
    done = place;
  }
  parts.push(kept.slice(done));
  return parts.flat();
}
