/** A question that takes the service a while: how long it has gone on, given up by the person or by leaving the page. */

import { onScopeDispose, ref, shallowRef, type Ref, type ShallowRef } from 'vue';

import { Problem } from '@/api/client';

export interface Working {
  /** Whether it is under way. */
  busy: Ref<boolean>;
  /** Seconds since it began. */
  seconds: Ref<number>;
  /** Why the last failed; one that was given up has not. */
  failure: ShallowRef<Problem | null>;
  run: <Answer>(question: (givenUp: AbortSignal) => Promise<Answer>) => Promise<Answer | null>;
  giveUp: () => void;
}

export function useWorking(): Working {
  const busy = ref(false);
  const seconds = ref(0);
  const failure: ShallowRef<Problem | null> = shallowRef(null);
  let current: AbortController | null = null;
  let timer: ReturnType<typeof setInterval> | undefined;

  function end(): void {
    clearInterval(timer);
    busy.value = false;
    current = null;
  }

  function giveUp(): void {
    current?.abort();
    end();
  }

  /** The answer; null where there is none. One at a time: a newer question ends the one before. */
  async function run<Answer>(question: (givenUp: AbortSignal) => Promise<Answer>): Promise<Answer | null> {
    giveUp();
    const mine = new AbortController();
    current = mine;
    busy.value = true;
    seconds.value = 0;
    failure.value = null;
    timer = setInterval(() => (seconds.value += 1), 1000);
    try {
      const answer = await question(mine.signal);
      return current === mine ? answer : null;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (current === mine) failure.value = error;
      return null;
    } finally {
      if (current === mine) end();
    }
  }

  onScopeDispose(giveUp);
  return { busy, seconds, failure, run, giveUp };
}
