/** The service's parts in the order of the chain, from the gateways' messages to the configuration. */

import type { ComponentStatus, Health } from '@/api/types';

export const PARTS = ['broker', 'historian', 'ledger', 'spool', 'canary', 'configuration'] as const;
export type Part = (typeof PARTS)[number];

export interface PartState {
  name: Part;
  status: ComponentStatus | 'unknown';
  since: string | null;
  /** The service's own words; empty: none. */
  detail: string;
}

export function partsOf({ components }: Health): PartState[] {
  return PARTS.map((name) => {
    const part = components[name];
    const detail = 'detail' in part ? (part.detail ?? '') : '';
    return { name, status: part.status, since: part.since, detail: part.status === 'ok' && name !== 'spool' ? '' : detail };
  });
}
