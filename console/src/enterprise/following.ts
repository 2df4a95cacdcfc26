/** An answer that no journal entry tells the changes of: asked for again and again, while the service is there. */

import { onScopeDispose, shallowRef, watch, type ShallowRef } from 'vue';

import { useLoaded, type Loaded } from '@/api/loading';
import type { Gateway } from '@/api/types';
import { RateMeter } from '@/enterprise/rates';
import { useLive } from '@/live/store';

export function usePolled<Data>(request: () => Promise<Data>, every: number): Loaded<Data> {
  const live = useLive();
  const loaded = useLoaded(request);
  void loaded.load();
  const timer = setInterval(() => {
    if (live.current.value === 'live') void loaded.load();
  }, every);
  onScopeDispose(() => {
    clearInterval(timer);
  });
  return loaded;
}

/** Rates by the counts that an answer brings again and again; a new object each time that there are new ones. */
export function useMeter(answer: Loaded<Gateway[]>): ShallowRef<{ of: RateMeter['of'] }> {
  const meter = new RateMeter();
  const shown = shallowRef({ of: meter.of.bind(meter) });
  watch(
    answer.data,
    (gateways) => {
      if (gateways === null) return;
      meter.take(gateways, performance.now());
      shown.value = { of: meter.of.bind(meter) };
    },
    { immediate: true },
  );
  return shown;
}
