/** Sections of an enterprise's page: the address holds which one is shown. */

import type { LocationQuery } from 'vue-router';

/** `tags` is where an address without a section leads. */
export const SECTIONS = ['tags', 'gateways', 'quarantine', 'online'] as const;
export type Section = (typeof SECTIONS)[number];

export function sectionOf(query: LocationQuery): Section {
  return SECTIONS.find((section) => section === query.show) ?? 'tags';
}

export function queryOf(section: Section, gateway?: string): Record<string, string> {
  if (section === 'tags') return {};
  return gateway === undefined ? { show: section } : { show: section, gateway };
}
