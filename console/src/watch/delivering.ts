/** Asks for the messages that reach nobody. */

import { computed, onScopeDispose, shallowRef, watch, type ComputedRef } from 'vue';

import { get, Problem } from '@/api/client';
import type { Message } from '@/api/types';
import { useLive } from '@/live/store';
import { may } from '@/session/session';
import { failing, type Failing } from '@/watch/deliveries';

const REFRESH_MS = 30_000;
/** The newest of them are asked for. */
const MOST = 100;

/** Asked anew every half minute, and when an incident opens or closes. Without an answer: as it was. */
export function useFailing(): ComputedRef<Failing | null> {
  const live = useLive();
  const messages = shallowRef<readonly Message[]>([]);
  const open = computed(() => [...live.register.value.incidents.keys()].join());

  async function load(): Promise<void> {
    if (live.current.value !== 'live' || open.value === '' || !may('list_messages')) return;
    try {
      messages.value = (await get<{ items: Message[] }>('messages', { undelivered: 'true', limit: MOST })).items;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
  }

  watch([open, live.current], load, { immediate: true });
  const timer = setInterval(() => void load(), REFRESH_MS);
  onScopeDispose(() => {
    clearInterval(timer);
  });
  return computed(() => failing(messages.value, (incident) => live.register.value.incidents.has(incident)));
}
