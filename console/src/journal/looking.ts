/** Looking through the journal part by part: one answer may have nothing and yet more be to look through. */

import { onScopeDispose, shallowRef, type ShallowRef } from 'vue';

import { Problem } from '@/api/client';
import type { Entry, EntryPage } from '@/api/types';

export const PAGE = 100;
/** Answers without anything after which somebody is asked whether to look further. */
const FRUITLESS = 5;
/** Entries that a file has at most. */
export const MOST_EXPORTED = 10_000;
const EXPORT_PAGE = 1_000;

export interface Looked {
  items: readonly Entry[];
  /** Entries looked through. */
  looked: number;
  /** When the oldest of them was entered. */
  backTo: string | null;
  /** The key to go on after; null: all has been looked through. */
  next: string | null;
}

const NOTHING: Looked = { items: [], looked: 0, backTo: null, next: null };

export type Ask = (after: string | null, limit: number) => Promise<EntryPage>;

export function added(before: Looked, page: EntryPage): Looked {
  return {
    items: [...before.items, ...page.items],
    looked: before.looked + page.looked.entries,
    backTo: page.looked.back_to ?? before.backTo,
    next: page.next,
  };
}

export interface Looking {
  found: ShallowRef<Looked | null>;
  failure: ShallowRef<Problem | null>;
  busy: ShallowRef<boolean>;
  /** From the newest on. */
  begin: () => Promise<void>;
  further: () => Promise<void>;
  stop: () => void;
  /** What was found and more of it, for a file. Throws Problem. */
  collect: () => Promise<readonly Entry[]>;
}

/** `asking`: gives what asks for the search as it is when it begins. */
export function useLooking(asking: () => Ask): Looking {
  const found = shallowRef<Looked | null>(null);
  const failure = shallowRef<Problem | null>(null);
  const busy = shallowRef(false);
  let turn = 0;
  let ask: Ask | null = null;

  async function look(from: Looked): Promise<void> {
    turn += 1;
    const mine = turn;
    const asked = ask;
    if (asked === null) return;
    busy.value = true;
    failure.value = null;
    let now = from;
    try {
      for (let fruitless = 0; fruitless < FRUITLESS; fruitless += 1) {
        const page = await asked(now.next, PAGE);
        if (mine !== turn) return;
        now = added(now, page);
        found.value = now;
        if (page.items.length > 0 || now.next === null) break;
      }
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (mine === turn) failure.value = error;
    } finally {
      if (mine === turn) busy.value = false;
    }
  }

  function stop(): void {
    turn += 1;
    busy.value = false;
  }

  async function collect(): Promise<readonly Entry[]> {
    const asked = ask;
    let now = found.value ?? NOTHING;
    for (let fruitless = 0; asked !== null && now.next !== null && fruitless < FRUITLESS && now.items.length < MOST_EXPORTED; ) {
      const page = await asked(now.next, EXPORT_PAGE);
      now = added(now, page);
      fruitless = page.items.length > 0 ? 0 : fruitless + 1;
    }
    return now.items.slice(0, MOST_EXPORTED);
  }

  onScopeDispose(stop);
  return {
    found,
    failure,
    busy,
    begin: () => {
      ask = asking();
      return look(NOTHING);
    },
    further: () => (found.value === null ? Promise.resolve() : look(found.value)),
    stop,
    collect,
  };
}
