/** What two configurations differ in, so that it can be read. */

import type { ConfigItem, Difference, Revision } from '@/api/types';

export interface PatchLine {
  kind: 'added' | 'removed' | 'same' | 'gap';
  /** Numbers before and after; null: it has none there. */
  before: number | null;
  after: number | null;
  text: string;
}

/** Lines of a unified difference with their numbers on both sides. */
export function patchLines(patch: string): PatchLine[] {
  const lines: PatchLine[] = [];
  let [before, after] = [1, 1];
  for (const line of patch.replace(/\n$/, '').split('\n')) {
    const head = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(line);
    if (head !== null) {
      // Where one side has no lines at all, its number is that of the line before.
      before = Number(head[1]) + (head[2] === '0' ? 1 : 0);
      after = Number(head[3]) + (head[4] === '0' ? 1 : 0);
      lines.push({ kind: 'gap', before: null, after: null, text: line });
    } else if (line.startsWith('+')) {
      lines.push({ kind: 'added', before: null, after, text: line.slice(1) });
      after += 1;
    } else if (line.startsWith('-')) {
      lines.push({ kind: 'removed', before, after: null, text: line.slice(1) });
      before += 1;
    } else if (line.startsWith(' ')) {
      lines.push({ kind: 'same', before, after, text: line.slice(1) });
      before += 1;
      after += 1;
    } else if (line !== '') {
      lines.push({ kind: 'gap', before: null, after: null, text: line });
    }
  }
  return lines;
}

/** Fields that are durations in ms. */
const DURATIONS: ReadonlySet<string> = new Set(['on_delay', 'off_delay', 'window', 'period']);

/** A field's value; a duration in seconds. Empty: not there, or nothing. */
export function valueText(name: string, value: unknown): string {
  if (value === null || value === undefined || value === '') return '';
  if (typeof value === 'number') return DURATIONS.has(name) ? `${value / 1000} s` : String(value);
  if (Array.isArray(value)) return value.map((each) => valueText('', each)).join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export const ACTS = ['added', 'removed', 'changed'] as const;
export type Act = (typeof ACTS)[number];
export interface Count {
  what: string;
  act: Act;
  n: number;
}

/** Counts in a fixed order: what was counted, in the order of the service, then added, removed, changed. */
export function countsOf(counts: Difference['counts']): Count[] {
  return Object.entries(counts).flatMap(([what, numbers]) =>
    ACTS.flatMap((act) => {
      const n = numbers[act] ?? 0;
      return n === 0 ? [] : [{ what, act, n }];
    }),
  );
}

export function isEmpty({ items, more, documents }: Difference): boolean {
  return items.length === 0 && more === 0 && documents.length === 0;
}

/** Things of a kind together, those that are taken away first: they are what somebody may have forgotten. */
export function sortedItems(items: readonly ConfigItem[]): ConfigItem[] {
  const order: Record<Act, number> = { removed: 0, changed: 1, added: 2 };
  return [...items].sort((one, other) => order[one.act] - order[other.act]);
}

/** Made by the service itself of the files on disk; nobody signed it. */
export function isOfFiles({ source, author }: Pick<Revision, 'source' | 'author'>): boolean {
  return source === 'files' && author === 'files';
}

/** What the service gives as its own reason, as the name of a message; null: a person's words. */
export function ownReason(revision: Pick<Revision, 'source' | 'author' | 'reason'>): 'firstStart' | 'filesChanged' | null {
  if (!isOfFiles(revision)) return null;
  if (revision.reason === 'first start') return 'firstStart';
  return revision.reason === 'the files have changed' ? 'filesChanged' : null;
}
