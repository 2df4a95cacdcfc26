/** History of several tags, continued by their live readings: what the page of trends draws. */

import { computed, onScopeDispose, shallowReactive, shallowRef, watch, type ComputedRef, type Ref } from 'vue';

import { Problem } from '@/api/client';
import { entrancesOf, realAlarmsOf, samples } from '@/api/endpoints';
import type { Tag } from '@/api/types';
import { tagPath, useReadings } from '@/live/readings';
import { useLive } from '@/live/store';
import { may } from '@/session/session';
import type { View } from '@/trend/address';
import { bucketStep, continued, emptyLine, lineOf, RAW_MOST, stepFor, type Line, type LivePoint } from '@/trend/lines';
import { marksOf, type Mark } from '@/trend/marks';

/** Live points are one a second; what came between is taken from the history, which is read again this often. */
const REFRESH_MS = 60_000;
const REFRESH_SHARE = 500;
/** Requests at once: the historian answers one after the other anyway. */
const AT_ONCE = 2;
/** Live readings beyond the newest of the history that are kept. */
const LIVE_POINTS = 2_000;

/** What is known of one tag's history. */
export interface Track {
  line: Line;
  marks: readonly Mark[];
  failure: Problem | null;
  loading: boolean;
}

const UNKNOWN: Track = { line: emptyLine(0), marks: [], failure: null, loading: true };

export interface Tracks {
  of: ComputedRef<ReadonlyMap<string, Track>>;
  loading: ComputedRef<boolean>;
  reload: () => void;
}

async function read(tag: Tag, window: readonly [number, number]): Promise<Track> {
  const span = window[1] - window[0];
  const { enterprise, tag: name } = tag;
  let step = stepFor(tag, span);
  const [first, alarms] = await Promise.all([
    samples(enterprise, name, window, step, RAW_MOST * 2),
    realAlarmsOf(enterprise, name, window[0]),
  ]);
  let answer = first;
  if (answer.truncated) {
    // It publishes more often than it says.
    step = bucketStep(span);
    answer = await samples(enterprise, name, window, step, 0);
  }
  const again = may('list_journal') ? alarms.filter(({ activations }) => activations > 1) : [];
  const entries = (await Promise.all(again.map(({ id }) => entrancesOf(id, window)))).flat();
  return { line: lineOf(answer, step, tag), marks: marksOf(tag, alarms, entries), failure: null, loading: false };
}

export function useTracks(tags: Readonly<Ref<readonly Tag[]>>, view: Readonly<Ref<View>>): Tracks {
  const live = useLive();
  const known = shallowReactive(new Map<string, Track>());
  const points = shallowReactive(new Map<string, readonly LivePoint[]>());
  const paths = computed(() => tags.value.map(tagPath));
  const isLive = computed(() => view.value.end === null);
  const generation = shallowRef(0);
  let timer: ReturnType<typeof setTimeout> | undefined;

  useReadings(live.readings, computed(() => (isLive.value ? paths.value : [])));

  async function load(tag: Tag, window: readonly [number, number], mine: number): Promise<void> {
    const path = tagPath(tag);
    const before = points.get(path)?.length ?? 0;
    try {
      const answer = await read(tag, window);
      if (mine !== generation.value) return;
      known.set(path, answer);
      points.set(path, (points.get(path) ?? []).slice(before));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (mine === generation.value) known.set(path, { ...(known.get(path) ?? UNKNOWN), failure: error, loading: false });
    }
  }

  async function loadAll(fresh: boolean): Promise<void> {
    clearTimeout(timer);
    generation.value += 1;
    const mine = generation.value;
    const { span, end } = view.value;
    const last = end ?? live.clock.now();
    if (fresh) points.clear();
    for (const path of known.keys()) if (!paths.value.includes(path)) known.delete(path);
    for (const path of paths.value) known.set(path, { ...(known.get(path) ?? UNKNOWN), loading: true });
    const waiting = [...tags.value];
    async function work(): Promise<void> {
      for (let tag = waiting.shift(); tag !== undefined && mine === generation.value; tag = waiting.shift()) {
        await load(tag, [last - span, last], mine);
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    if (mine !== generation.value || end !== null) return;
    timer = setTimeout(() => void loadAll(false), Math.max(REFRESH_MS, span / REFRESH_SHARE));
  }

  watch([paths, () => view.value.span, () => view.value.end], () => void loadAll(true), { immediate: true });
  watch(live.current, (phase) => {
    if (phase === 'live' && isLive.value) void loadAll(false);
  });
  live.onEntry((entry) => {
    const concerns = entry?.kind === 'alarm.entered' && paths.value.includes(`${entry.enterprise ?? ''}/${entry.tag ?? ''}`);
    if (concerns && isLive.value) void loadAll(false);
  });
  watch(
    () => paths.value.map((path) => live.readings.latest.get(path)),
    (readings) => {
      if (!isLive.value) return;
      for (const [index, reading] of readings.entries()) {
        const path = paths.value[index];
        if (path === undefined || reading === undefined) continue;
        const heard = points.get(path) ?? [];
        const t = Date.parse(reading.time);
        if ((heard.at(-1)?.t ?? -Infinity) >= t) continue;
        points.set(path, [...heard.slice(-LIVE_POINTS), { t, v: reading.value, q: reading.quality }]);
      }
    },
  );
  onScopeDispose(() => {
    clearTimeout(timer);
    generation.value += 1;
  });

  const of = computed(() => {
    const found = new Map<string, Track>();
    for (const tag of tags.value) {
      const path = tagPath(tag);
      const track = known.get(path) ?? UNKNOWN;
      const since = points.get(path) ?? [];
      found.set(path, since.length === 0 ? track : { ...track, line: continued(track.line, since, tag) });
    }
    return found;
  });

  return {
    of,
    loading: computed(() => [...known.values()].some(({ loading }) => loading)),
    reload: () => void loadAll(true),
  };
}
