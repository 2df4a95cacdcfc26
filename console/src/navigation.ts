/**
 * All pages that the console leads to, each once. The header's row has those that an officer needs hourly, the menu
 * the others. A page is called `nav.<name>` in the messages, and told in a line by `nav.hint.<name>`.
 */

import type { Operation } from '@/api/types';

/** Headings of the menu `nav.group.<group>`, in their order; `hourly` is the header's row, in the menu of a telephone. */
export const GROUPS = ['hourly', 'duty', 'sites', 'records', 'limits', 'administration'] as const;
export type Group = (typeof GROUPS)[number];

export interface Destination {
  /** Of the route. */
  name: string;
  /** Offered to those only who may do this; null: to everybody. */
  operation: Operation | null;
  place: 'row' | 'menu';
  group: Group;
}

export const DESTINATIONS: readonly Destination[] = [
  { name: 'watch', operation: null, place: 'row', group: 'hourly' },
  { name: 'map', operation: null, place: 'row', group: 'hourly' },
  { name: 'site', operation: null, place: 'row', group: 'hourly' },
  { name: 'trends', operation: null, place: 'row', group: 'hourly' },
  { name: 'suppressed', operation: null, place: 'row', group: 'hourly' },
  { name: 'handover', operation: 'list_handovers', place: 'row', group: 'hourly' },
  { name: 'drills', operation: null, place: 'menu', group: 'duty' },
  { name: 'wall', operation: null, place: 'menu', group: 'duty' },
  { name: 'contacts', operation: 'list_contacts', place: 'menu', group: 'duty' },
  { name: 'plans', operation: 'list_plans', place: 'menu', group: 'duty' },
  { name: 'messages', operation: 'list_messages', place: 'menu', group: 'duty' },
  { name: 'sitePlan', operation: null, place: 'menu', group: 'sites' },
  { name: 'gateways', operation: null, place: 'menu', group: 'sites' },
  { name: 'search', operation: 'search', place: 'menu', group: 'records' },
  { name: 'journal', operation: 'list_journal', place: 'menu', group: 'records' },
  { name: 'kpi', operation: 'get_key_figures', place: 'menu', group: 'records' },
  { name: 'tuning', operation: 'list_tuning_rules', place: 'menu', group: 'limits' },
  { name: 'changes', operation: 'list_changes', place: 'menu', group: 'limits' },
  { name: 'administration', operation: 'list_documents', place: 'menu', group: 'administration' },
  { name: 'accounts', operation: 'list_accounts', place: 'menu', group: 'administration' },
];

type May = (operation: Operation) => boolean;

function offered(may: May): Destination[] {
  return DESTINATIONS.filter(({ operation }) => operation === null || may(operation));
}

/** Whether somebody may not see what the route of that name shows. */
export function isRefused(route: unknown, may: May): boolean {
  return DESTINATIONS.some(({ name, operation }) => name === route && operation !== null && !may(operation));
}

export function inRow(may: May): Destination[] {
  return offered(may).filter(({ place }) => place === 'row');
}

/** The menu's headings with their pages; `all`: those of the row too, where there is no room for a row. */
export function inMenu(may: May, all: boolean): { group: Group; pages: Destination[] }[] {
  const pages = offered(may).filter(({ place }) => all || place === 'menu');
  return GROUPS.map((group) => ({ group, pages: pages.filter((page) => page.group === group) })).filter(
    (found) => found.pages.length > 0,
  );
}
