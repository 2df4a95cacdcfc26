/** Asks what other figures would have done, while they are still being dragged. */

import { onScopeDispose, shallowRef, type ShallowRef } from 'vue';

import { Problem } from '@/api/client';
import { preview } from '@/api/endpoints';
import type { Preview } from '@/api/types';
import type { PreviewRequest } from '@/tuning/figures';

/** A hand that stops for so long wants to see. */
const PAUSE_MS = 150;

export interface Previewing {
  /** The last answer; it stays while a newer one is awaited. */
  answer: ShallowRef<Preview | null>;
  failure: ShallowRef<Problem | null>;
  /** An answer to what was asked last is still to come. */
  busy: ShallowRef<boolean>;
  /** Asked at once or after a pause; what was asked before is given up. Null: nothing is asked, the answer goes. */
  ask: (request: PreviewRequest | null, atOnce?: boolean) => void;
}

export function usePreview(send: typeof preview = preview): Previewing {
  const answer = shallowRef<Preview | null>(null);
  const failure = shallowRef<Problem | null>(null);
  const busy = shallowRef(false);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let under: AbortController | null = null;

  function giveUp(): void {
    clearTimeout(timer);
    under?.abort();
    under = null;
    busy.value = false;
  }

  function ask(request: PreviewRequest | null, atOnce = false): void {
    giveUp();
    if (request === null) {
      answer.value = null;
      failure.value = null;
      return;
    }
    busy.value = true;
    const mine = new AbortController();
    under = mine;
    timer = setTimeout(() => void fetch(request, mine), atOnce ? 0 : PAUSE_MS);
  }

  async function fetch(request: PreviewRequest, mine: AbortController): Promise<void> {
    try {
      const found = await send(request, mine.signal);
      if (mine.signal.aborted) return;
      answer.value = found;
      failure.value = null;
    } catch (error) {
      if (mine.signal.aborted) return;
      if (!(error instanceof Problem)) throw error;
      failure.value = error;
    } finally {
      if (under === mine) giveUp();
    }
  }

  onScopeDispose(giveUp);
  return { answer, failure, busy, ask };
}
