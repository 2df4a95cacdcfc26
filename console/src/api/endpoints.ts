/** One function per endpoint that the console uses. */

import { ask, download, get, getKept, post } from '@/api/client';
import type {
  AcknowledgeResult,
  Alarm,
  Card,
  Contact,
  Desk,
  Drill,
  DrillScenario,
  Enterprise,
  Entry,
  EntryPage,
  Gateway,
  Handover,
  HandoverSummary,
  Incident,
  IncidentDetail,
  IncidentResponse,
  Maintenance,
  Message,
  Page,
  Places,
  Preview,
  RuleChange,
  RuleChangeDetail,
  Samples,
  Signature,
  SiteMap,
  SuppressedList,
  Tag,
  TuningTag,
} from '@/api/types';
import type { ChangeAct } from '@/tuning/acts';
import type { Edit, PreviewRequest } from '@/tuning/figures';

const PAGE = 500;
/** Alarms that one request acknowledges at most. */
const SELECTION = 1000;

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

/** Every alarm that is in, or out and not acknowledged yet, annunciated or suppressed. */
export async function activeAlarms(): Promise<Alarm[]> {
  const lists = await Promise.all([
    all((after) => get<Page<Alarm>>('alarms', { active: true, limit: PAGE, after })),
    all((after) => get<Page<Alarm>>('alarms', { suppressed: true, limit: PAGE, after })),
  ]);
  return lists.flat();
}

export function openIncidents(): Promise<Incident[]> {
  return all((after) => get<Page<Incident>>('incidents', { state: 'open', limit: PAGE, after }));
}

export function incident(id: number): Promise<IncidentDetail> {
  return get(`incidents/${id}`);
}

/** Acknowledges a selection, a thousand in one act; each alarm has its own result. */
export async function acknowledgeAlarms(ids: readonly number[], signature: Signature): Promise<AcknowledgeResult[]> {
  const results: AcknowledgeResult[] = [];
  for (let first = 0; first < ids.length; first += SELECTION) {
    const part = ids.slice(first, first + SELECTION);
    const answer = await post<{ results: AcknowledgeResult[] }>('alarms/acknowledge', { ids: part, ...signature });
    results.push(...answer.results);
  }
  return results;
}

/** Ends a latched alarm whose condition has left. */
export function resetAlarm(id: number, signature: Signature): Promise<Alarm> {
  return post(`alarms/${id}/reset`, signature);
}

/** 搁置: takes an alarm off the watch for a while. */
export function shelveAlarm(id: number, name: string, reason: string, duration: string): Promise<Alarm> {
  return post(`alarms/${id}/shelve`, { name, reason, duration });
}

export function unshelveAlarm(id: number, signature: Signature): Promise<unknown> {
  return post(`alarms/${id}/unshelve`, signature);
}

export function commentAlarm(id: number, signature: Signature): Promise<Alarm> {
  return post(`alarms/${id}/comment`, signature);
}

/** Everything that is not annunciated now, and why. */
export function suppressed(): Promise<SuppressedList> {
  return get('suppressed');
}

export function maintenance(): Promise<Maintenance[]> {
  return all((after) => get<Page<Maintenance>>('maintenance', { limit: PAGE, after }));
}

/** How the response to an incident stands, and its response cards. */
export function responseOf(incident: number): Promise<IncidentResponse> {
  return get(`incidents/${incident}/response`);
}

export function card(id: string): Promise<Card> {
  return get(`cards/${encodeURIComponent(id)}`);
}

export function messagesOf(incident: number): Promise<Message[]> {
  return all((after) => get<Page<Message>>('messages', { incident, limit: 100, after }));
}

export function places(): Promise<Places> {
  return get('enterprises');
}

export async function enterprises(): Promise<Enterprise[]> {
  return (await places()).items;
}

export function siteMap(): Promise<SiteMap> {
  return getKept('map');
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

/** History of a tag in steps of `step` seconds, or with 0 its first `limit` readings as they are. */
export function samples(enterprise: string, tag: string, window: readonly [number, number], step: number, limit: number): Promise<Samples> {
  const [start, end] = window.map((at) => new Date(at).toISOString());
  const width = step === 0 ? { limit } : { bucket: `${step}s` };
  return get(`tags/${encodeURIComponent(enterprise)}/${encodeURIComponent(tag)}/samples`, { start, end, ...width });
}

/** Tags of an enterprise (empty: of all), so many pages of them at most; `more`: there are others. */
export async function tagsOf(enterprise: string, pages = Infinity): Promise<{ tags: Tag[]; more: boolean }> {
  const tags: Tag[] = [];
  let after: string | null = null;
  for (let count = 0; count < pages; count += 1) {
    const page: Page<Tag> = await get<Page<Tag>>('tags', { enterprise, limit: PAGE, after });
    tags.push(...page.items);
    after = page.next;
    if (after === null) break;
  }
  return { tags, more: after !== null };
}

/** Real alarms of a tag that were received since then, the newest first, as far as one page goes. */
export async function realAlarmsOf(enterprise: string, tag: string, since: number): Promise<Alarm[]> {
  const query = { enterprise, tag, since: new Date(since).toISOString(), drill: false, limit: PAGE };
  return (await get<Page<Alarm>>('alarms', query)).items;
}

/** Each time that an alarm entered within the window, the newest first, as far as one page goes. */
export async function entrancesOf(alarm: number, [since, until]: readonly [number, number]): Promise<Entry[]> {
  const query = { alarm, kind: 'alarm.entered', since: new Date(since).toISOString(), until: new Date(until).toISOString(), limit: PAGE };
  return (await get<EntryPage>('journal', query)).items;
}

export async function gateways(): Promise<Gateway[]> {
  return (await get<{ items: Gateway[] }>('gateways')).items;
}

export interface NewMaintenance {
  scope: Maintenance['scope'];
  enterprise: string;
  target: string;
  begins_at: string | null;
  ends_at: string;
  name: string;
  reason: string;
}

export function announceMaintenance(window: NewMaintenance): Promise<Maintenance> {
  return post('maintenance', window);
}

/** Ends a running window, or cancels one that has not begun. */
export function finishMaintenance(id: number, act: 'end' | 'cancel', signature: Signature): Promise<Maintenance> {
  return post(`maintenance/${id}/${act}`, signature);
}

export async function desks(): Promise<Desk[]> {
  return (await get<{ items: Desk[] }>('desks')).items;
}

/** Somebody is at the desk. */
export function present(desk: string): Promise<Desk> {
  return post(`desks/${encodeURIComponent(desk)}/presence`, {});
}

export async function handovers(desk: string): Promise<HandoverSummary[]> {
  return (await get<Page<HandoverSummary>>(`desks/${encodeURIComponent(desk)}/handovers`, { limit: 20 })).items;
}

export function handover(id: number): Promise<Handover> {
  return get(`handovers/${id}`);
}

export function makeHandover(desk: string, name: string, notes: string): Promise<Handover> {
  return post(`desks/${encodeURIComponent(desk)}/handovers`, { name, notes });
}

export function signHandover(id: number, signature: Signature): Promise<Handover> {
  return post(`handovers/${id}/sign`, signature);
}

export async function drillScenarios(): Promise<DrillScenario[]> {
  return (await get<{ items: DrillScenario[] }>('drill-scenarios')).items;
}

export async function drills(): Promise<Drill[]> {
  return (await get<Page<Drill>>('drills', { limit: 50 })).items;
}

export interface NewDrill {
  scenario: string;
  units: string[];
  circle: string[];
  leader: string;
  name: string;
  comment: string;
}

export function startDrill(drill: NewDrill): Promise<Drill> {
  return post('drills', drill);
}

export function endDrill(id: number, signature: Signature): Promise<Drill> {
  return post(`drills/${id}/end`, signature);
}

/** The report to print, saved as a file: it cannot be opened by a link, which carries no token. */
export function saveDrillReport(id: number): Promise<void> {
  return download(`drills/${id}/report.html`, `drill-${id}.html`);
}

export function contacts(): Promise<Contact[]> {
  return all((after) => get<Page<Contact>>('contacts', { limit: 100, after }));
}

/** One ZIP with everything that is known of an incident, which can be verified without the service. */
export function saveEvidence(incident: number, name: string): Promise<void> {
  return download(`incidents/${incident}/evidence`, `incident-${incident}.zip`, { name });
}

/** Acknowledges an incident by the code of a message; needs no token. */
export function acknowledgeByCode(code: string, name: string): Promise<{ acknowledged: boolean; incident: number }> {
  return post('acknowledge-code', { code, name });
}

/** Tags of a unit with the rules whose figures can be changed. */
export function tuningRules(enterprise: string, unit: string): Promise<TuningTag[]> {
  return all((after) => get<Page<TuningTag>>('tuning/rules', { enterprise, unit, after }));
}

/** What other figures would have done. */
export function preview(request: PreviewRequest, givenUp: AbortSignal): Promise<Preview> {
  return ask('tuning/preview', request, givenUp);
}

/** Newest first; `state`: one of them, or `open`. */
export function changes(state: string | null, after: string | null): Promise<Page<RuleChange>> {
  return get('changes', { state, after, limit: 50 });
}

export function change(id: number): Promise<RuleChangeDetail> {
  return get(`changes/${id}`);
}

export function proposeChange(name: string, reason: string, edits: readonly Edit[]): Promise<RuleChange> {
  return post('changes', { name, reason, edits });
}

export function actOnChange(id: number, act: ChangeAct, body: Record<string, unknown>): Promise<RuleChange> {
  return post(`changes/${id}/${act}`, body);
}
