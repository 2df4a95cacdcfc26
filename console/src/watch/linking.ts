/** How many gateways are there, of those that the account sees. */

import { computed, onScopeDispose, shallowRef, watch, type ComputedRef } from 'vue';

import { Problem } from '@/api/client';
import { gateways } from '@/api/endpoints';
import { useLive } from '@/live/store';
import { isBound } from '@/session/session';

const REFRESH_MS = 10_000;

export interface Counts {
  online: number;
  total: number;
}

/** The service tells of all; an account that sees a part asks for its own. Null: it is not known now. */
export function useGatewayCounts(): ComputedRef<Counts | null> {
  const live = useLive();
  const own = shallowRef<Counts | null>(null);

  async function load(): Promise<void> {
    if (!isBound.value || live.current.value !== 'live') return;
    try {
      const seen = await gateways();
      own.value = { online: seen.filter(({ status }) => status === 'online').length, total: seen.length };
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      own.value = null;
    }
  }

  watch(live.current, load, { immediate: true });
  const timer = setInterval(() => void load(), REFRESH_MS);
  onScopeDispose(() => {
    clearInterval(timer);
  });
  return computed(() => {
    if (live.current.value !== 'live') return null;
    if (isBound.value) return own.value;
    const all = live.health.value?.gateways;
    return all === undefined ? null : { online: all.online, total: all.online + all.offline + all.unknown };
  });
}
