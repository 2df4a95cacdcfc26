/** The wind at every place whose tags tell it, as it is now. */

import { computed, type ComputedRef, type Ref } from 'vue';

import { useReadings } from '@/live/readings';
import type { LiveStore } from '@/live/store';
import type { EnterprisePlace } from '@/map/places';
import { windOf, type Wind } from '@/map/wind';

export type Winds = ReadonlyMap<string, Wind>;

/** By `enterprise` and `enterprise/unit`. */
export function useWinds(live: LiveStore, places: Ref<readonly EnterprisePlace[]>): ComputedRef<Winds> {
  const told = computed(() =>
    places.value.flatMap((place) => [
      { key: place.id, enterprise: place.id, wind: place.wind },
      ...place.units.map(({ key, wind }) => ({ key, enterprise: place.id, wind })),
    ]),
  );
  const tags = computed(() => [
    ...new Set(
      told.value.flatMap(({ enterprise, wind }) =>
        wind === null ? [] : [`${enterprise}/${wind.speed}`, `${enterprise}/${wind.direction}`],
      ),
    ),
  ]);
  useReadings(live.readings, tags);
  return computed(() => {
    const now = live.clock.tick.value;
    const lost = live.current.value === 'lost';
    return new Map(
      told.value.map(({ key, enterprise, wind }): [string, Wind] => {
        if (wind === null) return [key, { kind: 'none' }];
        if (lost) return [key, { kind: 'unknown' }];
        const [speed, direction] = [wind.speed, wind.direction].map((tag) => live.readings.latest.get(`${enterprise}/${tag}`));
        return [key, windOf(speed, direction, wind.period_ms, now)];
      }),
    );
  });
}
