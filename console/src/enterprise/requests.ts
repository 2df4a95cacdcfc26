/** Requests of the enterprises' pages. */

import { get } from '@/api/client';
import type { EnterpriseDays, EnterpriseOnline, Page, Refused } from '@/api/types';

/** Null: of any. */
export interface RefusedOf {
  enterprise: string | null;
  gateway: string | null;
  reason: string | null;
}

export function quarantine(of: RefusedOf, after: string | null): Promise<Page<Refused>> {
  return get('quarantine', { ...of, limit: 25, after });
}

/** Daily online rate of an enterprise and of each of its gateways. */
export function enterpriseOnline(enterprise: string, days: number): Promise<EnterpriseOnline> {
  return get(`enterprises/${encodeURIComponent(enterprise)}/online`, { days });
}

/** Of all enterprises, without their gateways. */
export async function enterprisesOnline(days: number): Promise<EnterpriseDays[]> {
  return (await get<{ items: EnterpriseDays[] }>('online', { days })).items;
}
