/** Names of regions and enterprises, from the answer that the browser keeps for the map. */

import { computed, shallowRef, type ComputedRef } from 'vue';

import { Problem } from '@/api/client';
import { siteMap } from '@/api/endpoints';
import type { SiteMap } from '@/api/types';
import { placesOf, type Places } from '@/response/contacts';

/** Until it is there, and without it, codes and ids stand for themselves. */
export function usePlaces(): ComputedRef<Places> {
  const map = shallowRef<SiteMap | null>(null);
  siteMap().then(
    (answer) => (map.value = answer),
    (error: unknown) => {
      if (!(error instanceof Problem)) throw error;
    },
  );
  return computed(() => placesOf(map.value));
}
