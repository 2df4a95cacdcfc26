/** Requests about who is told: contacts, rosters, plans, cards, messages, channels, calls back. */

import { ask, download, get, post } from '@/api/client';
import type {
  CallBack,
  CardSummary,
  Channel,
  ChannelTested,
  ContactCheck,
  Message,
  MessageDetail,
  Page,
  Plan,
  Roster,
  Signature,
} from '@/api/types';
import type { Shown } from '@/response/messages';

const TYPES = {
  csv: 'text/csv',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
} as const;
export type TableForm = keyof typeof TYPES;

/** `at`: ms; null: now. Turns are those of the seven days from then. */
export async function fetchRosters(at: number | null = null): Promise<Roster[]> {
  const query = { at: at === null ? null : new Date(at).toISOString() };
  return (await get<{ items: Roster[] }>('rosters', query)).items;
}

export async function fetchPlans(): Promise<Plan[]> {
  return (await get<{ items: Plan[] }>('plans')).items;
}

export async function fetchCards(): Promise<CardSummary[]> {
  return (await get<{ items: CardSummary[] }>('cards')).items;
}

export function saveContacts(form: TableForm): Promise<void> {
  return download('contacts/export', `contacts.${form}`, { format: form });
}

/** What a table would change; nothing is taken. */
export function checkContacts(file: File, form: TableForm, givenUp: AbortSignal): Promise<ContactCheck> {
  return ask('contacts/check', new Blob([file], { type: TYPES[form] }), givenUp);
}

export async function fetchChannels(): Promise<Channel[]> {
  return (await get<{ items: Channel[] }>('channels')).items;
}

/** Sends a message now and waits for what comes of it; `to` empty: where the scheduled tests go. */
export function testChannel(id: string, name: string, to: string, givenUp: AbortSignal): Promise<ChannelTested> {
  return ask(`channels/${encodeURIComponent(id)}/test`, { name, to: to === '' ? null : to }, givenUp);
}

export function fetchMessages(shown: Shown, channel: string, after: string | null): Promise<Page<Message>> {
  const which = shown === '' ? {} : shown === 'undelivered' ? { undelivered: true } : { state: shown };
  return get('messages', { ...which, channel, after, limit: 50 });
}

export function fetchMessage(id: number): Promise<MessageDetail> {
  return get(`messages/${id}`);
}

export async function fetchOpenCalls(): Promise<CallBack[]> {
  return (await get<Page<CallBack>>('call-backs', { open: true, limit: 100 })).items;
}

export function finishCall(id: number, signature: Signature): Promise<CallBack> {
  return post(`call-backs/${id}/done`, signature);
}
