/** A request whose answer a page shows: loading, failed or there. */

import { onScopeDispose, shallowRef, type ShallowRef } from 'vue';

import { Problem } from '@/api/client';

export interface Loaded<Data> {
  /** The last answer; stays while a newer one is fetched. */
  data: ShallowRef<Data | null>;
  failure: ShallowRef<Problem | null>;
  loading: ShallowRef<boolean>;
  load: () => Promise<void>;
  /** Loads soon, once for any number of calls. */
  refresh: () => void;
}

const REFRESH_MS = 500;

export function useLoaded<Data>(request: () => Promise<Data>): Loaded<Data> {
  const data = shallowRef<Data | null>(null);
  const failure = shallowRef<Problem | null>(null);
  const loading = shallowRef(false);
  let latest = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function load(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    latest += 1;
    const mine = latest;
    loading.value = true;
    try {
      const answer = await request();
      if (mine !== latest) return;
      data.value = answer;
      failure.value = null;
    } catch (error) {
      if (mine !== latest) return;
      if (!(error instanceof Problem)) throw error;
      failure.value = error;
    } finally {
      if (mine === latest) loading.value = false;
    }
  }

  function refresh(): void {
    timer ??= setTimeout(() => void load(), REFRESH_MS);
  }

  onScopeDispose(() => {
    clearTimeout(timer);
    latest += 1;
  });

  return { data, failure, loading, load, refresh };
}
