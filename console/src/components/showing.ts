/** A part of many at first, and more of them with each press of a button. */

import { ref, watch, type Ref, type WatchSource } from 'vue';

export interface Showing {
  most: Ref<number>;
  more: () => void;
}

/** `of`: when it changes, the list is another one and begins anew. */
export function useShowing(of: WatchSource, part: number, first = part): Showing {
  const most = ref(first);
  watch(of, () => (most.value = first));
  return { most, more: () => void (most.value += part) };
}
