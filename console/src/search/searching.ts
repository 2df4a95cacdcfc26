/** Searching tags, places, incidents and alarms by a part of a name, or by number. */

import { get } from '@/api/client';
import type { SearchResult } from '@/api/types';

export const GROUPS = ['incidents', 'alarms', 'units', 'tags', 'enterprises'] as const;
export type Group = (typeof GROUPS)[number];

const MOST = 20;
const LONGEST = 200;

export function search(text: string): Promise<SearchResult> {
  return get('search', { text, limit: MOST });
}

/** What the service takes as words; empty: nothing to look for. */
export function wordsOf(given: unknown): string {
  // eslint-disable-next-line no-control-regex -- what the service refuses
  return typeof given === 'string' ? given.replaceAll(/[\u0000-\u001f\u007f]/g, ' ').trim().slice(0, LONGEST) : '';
}

/** Groups in which something was found, in the order of the page. */
export function foundIn(result: SearchResult): Group[] {
  return GROUPS.filter((group) => result[group].items.length > 0);
}
