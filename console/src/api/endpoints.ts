/** One function per endpoint that the console uses. */

import { get, post } from '@/api/client';
import type {
  Alarm,
  Enterprise,
  Entry,
  Gateway,
  Incident,
  IncidentDetail,
  Page,
  Refused,
  Samples,
  Signature,
  Tag,
} from '@/api/types';

const PAGE = 500;

/** All pages of a list. */
async function all<Item>(fetchPage: (after: string | null) => Promise<Page<Item>>): Promise<Item[]> {
  const items: Item[] = [];
  let after: string | null = null;
  do {
    const page = await fetchPage(after);
    items.push(...page.items);
    after = page.next;
  } while (after !== null);
  return items;
}

/** Every alarm that is in, or out and not acknowledged yet. */
export function activeAlarms(): Promise<Alarm[]> {
  return all((after) => get<Page<Alarm>>('alarms', { active: true, limit: PAGE, after }));
}

export function openIncidents(): Promise<Incident[]> {
  return all((after) => get<Page<Incident>>('incidents', { state: 'open', limit: PAGE, after }));
}

export function incident(id: number): Promise<IncidentDetail> {
  return get(`incidents/${id}`);
}

export function acknowledgeAlarm(id: number, signature: Signature): Promise<Alarm> {
  return post(`alarms/${id}/acknowledge`, signature);
}

/** Ends a latched alarm whose condition has left. */
export function resetAlarm(id: number, signature: Signature): Promise<Alarm> {
  return post(`alarms/${id}/reset`, signature);
}

export function closeIncident(id: number, signature: Signature): Promise<Incident> {
  return post(`incidents/${id}/close`, signature);
}

export async function enterprises(): Promise<Enterprise[]> {
  return (await get<{ items: Enterprise[] }>('enterprises')).items;
}

export function tagsOfUnit(enterprise: string, unit: string): Promise<Tag[]> {
  return all((after) => get<Page<Tag>>('tags', { enterprise, unit, limit: PAGE, after }));
}

/** History of a tag in steps of `bucketSeconds`. */
export function buckets(enterprise: string, tag: string, start: Date, end: Date, bucketSeconds: number): Promise<Samples> {
  return get(`tags/${encodeURIComponent(enterprise)}/${encodeURIComponent(tag)}/samples`, {
    start: start.toISOString(),
    end: end.toISOString(),
    bucket: `${bucketSeconds}s`,
  });
}

export async function gateways(): Promise<Gateway[]> {
  return (await get<{ items: Gateway[] }>('gateways')).items;
}

export function quarantine(after: string | null, gateway?: { enterprise: string; gateway: string }): Promise<Page<Refused>> {
  return get('quarantine', { ...gateway, limit: 50, after });
}

export function journal(after: string | null, kind: string | null): Promise<Page<Entry>> {
  return get('journal', { kind, limit: 100, after });
}

/** Any request that needs the token: a 401 drops it. */
export async function probe(): Promise<void> {
  await get('alarms', { limit: 1 });
}
