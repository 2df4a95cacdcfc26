/** Who and what stands behind the ids of contacts and channels that messages and the journal have. */

import { shallowRef } from 'vue';

import { Problem } from '@/api/client';
import { contacts } from '@/api/endpoints';
import type { Contact, Operation } from '@/api/types';
import { fetchChannels } from '@/response/requests';
import { may } from '@/session/session';

/** Posts of an enterprise. */
const NEAREST: readonly string[] = ['operator', 'duty', 'safety_head', 'head'];

const people = shallowRef(new Map<string, Contact>());
const channels = shallowRef(new Map<string, string>());

/** Who may not see them, or gets no answer, sees the ids. */
async function listed<Item>(operation: Operation, request: () => Promise<Item[]>): Promise<Item[]> {
  if (!may(operation)) return [];
  try {
    return await request();
  } catch (error) {
    if (error instanceof Problem) return [];
    throw error;
  }
}

export async function loadPeople(): Promise<void> {
  const [known, ways] = await Promise.all([listed('list_contacts', contacts), listed('list_channels', fetchChannels)]);
  people.value = new Map(known.map((contact) => [contact.id, contact]));
  channels.value = new Map(ways.map(({ id, name }) => [id, name]));
}

export function contactName(id: string): string {
  return people.value.get(id)?.name ?? id;
}

/** '': none is known. */
export function phoneOf(id: string): string {
  return people.value.get(id)?.phone ?? '';
}

/** Whom to telephone at an enterprise, who is nearest to the plant first. */
export function calledAt(enterprise: string): Contact[] {
  const distance = ({ post }: Contact): number => (NEAREST.includes(post) ? NEAREST.indexOf(post) : NEAREST.length);
  return [...people.value.values()]
    .filter((contact) => contact.enterprise === enterprise && contact.phone !== '')
    .sort((one, other) => distance(one) - distance(other));
}

export function channelName(id: string): string {
  return channels.value.get(id) ?? id;
}
