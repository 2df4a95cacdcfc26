/** Named filters of the watch, kept in this browser for each account. */

import { fromQuery, keyOf, type Query } from '@/watch/filter';
import type { Filter } from '@/alarms/ordering';

export interface View {
  name: string;
  /** The filter as `keyOf` writes it. */
  key: string;
}

/** What a browser's storage is asked for. */
export type Store = Pick<Storage, 'getItem' | 'setItem'>;

export const MOST_VIEWS = 30;
export const LONGEST_NAME = 40;

function place(account: string): string {
  return `anshao.views.${account}`;
}

function isView(value: unknown): value is View {
  const { name, key } = (value ?? {}) as Partial<View>;
  return typeof name === 'string' && name !== '' && typeof key === 'string';
}

/** What was kept, without what is no view. */
export function loadViews(store: Store, account: string): readonly View[] {
  try {
    const kept: unknown = JSON.parse(store.getItem(place(account)) ?? '[]');
    return Array.isArray(kept) ? kept.filter(isView).slice(0, MOST_VIEWS) : [];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

/** False: the browser keeps nothing more. */
export function keepViews(store: Store, account: string, views: readonly View[]): boolean {
  try {
    store.setItem(place(account), JSON.stringify(views));
    return true;
  } catch (error) {
    if (error instanceof DOMException) return false;
    throw error;
  }
}

export function filterOf(view: View): Filter {
  const query: Query = Object.fromEntries(new URLSearchParams(view.key));
  return fromQuery(query);
}

/** With the filter under this name; another filter of that name gives way. */
export function saved(views: readonly View[], name: string, filter: Filter): readonly View[] {
  const view = { name: name.trim().slice(0, LONGEST_NAME), key: keyOf(filter) };
  if (view.name === '') return views;
  const known = views.some((each) => each.name === view.name);
  if (known) return views.map((each) => (each.name === view.name ? view : each));
  return [...views, view].slice(-MOST_VIEWS);
}

/** A name that another view has already is not taken. */
export function renamed(views: readonly View[], name: string, next: string): readonly View[] {
  const given = next.trim().slice(0, LONGEST_NAME);
  if (given === '' || views.some((each) => each.name === given)) return views;
  return views.map((each) => (each.name === name ? { ...each, name: given } : each));
}

export function removed(views: readonly View[], name: string): readonly View[] {
  return views.filter((each) => each.name !== name);
}

/** The view that shows what the filter shows. */
export function viewOf(views: readonly View[], filter: Filter): View | null {
  const key = keyOf(filter);
  return key === '' ? null : (views.find((each) => each.key === key) ?? null);
}
