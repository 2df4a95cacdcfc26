/** Readings of the tags that are on screen. Components say what they show; the union is subscribed. */

import { onScopeDispose, shallowReactive, watch, type Ref } from 'vue';

import type { Reading } from '@/api/types';

export interface LiveReading {
  value: number | null;
  quality: number;
  /** Source time, ISO 8601. */
  time: string;
  /** When it arrived, ms by the service's clock: staleness is counted in received time. */
  received: number;
}

export function tagPath(of: { enterprise: string; tag: string }): string {
  return `${of.enterprise}/${of.tag}`;
}

export class Readings {
  readonly latest = shallowReactive(new Map<string, LiveReading>());
  private readonly wanted = new Map<symbol, readonly string[]>();
  private subscribed: readonly string[] = [];
  /** Tags whose arrivals are followed: of what comes first, nobody knows here for how long the service has had it. */
  private readonly followed = new Set<string>();
  private changed: (tags: readonly string[]) => void = () => undefined;
  private scheduled = false;

  onChange(changed: (tags: readonly string[]) => void): void {
    this.changed = changed;
  }

  want(key: symbol, tags: readonly string[]): void {
    if (tags.length === 0) this.wanted.delete(key);
    else this.wanted.set(key, tags);
    if (this.scheduled) return;
    this.scheduled = true;
    setTimeout(() => {
      this.scheduled = false;
      this.announce();
    }, 50);
  }

  /** `now` by the service's clock. The service repeats what it has after every change of the subscription. */
  take(items: readonly Reading[], now: number): void {
    for (const item of items) {
      const path = tagPath(item);
      const known = this.latest.get(path);
      const same = known?.time === item.t;
      if (!same || known.value !== item.v || known.quality !== item.q) {
        const arrival = this.followed.has(path) ? now : Math.min(now, Date.parse(item.t));
        this.latest.set(path, { value: item.v, quality: item.q, time: item.t, received: same ? known.received : arrival });
      }
      this.followed.add(path);
    }
  }

  /** The connection was lost: what comes next may have arrived at any time since. */
  interrupt(): void {
    this.followed.clear();
  }

  private announce(): void {
    const union = [...new Set([...this.wanted.values()].flat())].sort();
    if (union.length === this.subscribed.length && union.every((tag, index) => tag === this.subscribed[index])) return;
    const dropped = new Set(this.subscribed);
    for (const tag of union) dropped.delete(tag);
    for (const tag of dropped) {
      this.latest.delete(tag);
      this.followed.delete(tag);
    }
    this.subscribed = union;
    this.changed(union);
  }
}

/** Subscribes to `tags` as long as the calling component lives. */
export function useReadings(readings: Readings, tags: Ref<readonly string[]>): void {
  const key = Symbol('readings');
  watch(
    tags,
    (paths) => {
      readings.want(key, paths);
    },
    { immediate: true },
  );
  onScopeDispose(() => {
    readings.want(key, []);
  });
}
