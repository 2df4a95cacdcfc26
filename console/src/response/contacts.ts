/** The directory of contacts: who is looked for, who has the duty, where somebody belongs. */

import type { Contact, Roster, SiteMap, Turn } from '@/api/types';

export type Side = Contact['side'];

/** Names of regions and enterprises by what contacts and rosters have of them. */
export interface Places {
  region: (code: string) => string;
  enterprise: (id: string) => string;
}

/** Without an answer codes and ids stand for themselves. */
export function placesOf(map: Pick<SiteMap, 'regions' | 'enterprises'> | null): Places {
  const regions = new Map((map?.regions ?? []).map(({ code, name }) => [code, name]));
  const enterprises = new Map((map?.enterprises ?? []).map(({ id, name }) => [id, name]));
  return {
    region: (code) => regions.get(code) ?? code,
    enterprise: (id) => enterprises.get(id) ?? id,
  };
}

/** Where a contact belongs, or a roster is of: its enterprise, else its region. */
export function placeOf(of: { enterprise: string | null; region: string | null }, places: Places): string {
  if (of.enterprise !== null) return places.enterprise(of.enterprise);
  return of.region === null ? '' : places.region(of.region);
}

export interface Wanted {
  text: string;
  side: Side | '';
  post: string;
  stale: boolean;
}

function plain(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

/**
 * Contacts that have every word somewhere: name, post, title, organisation, place, telephone, mail. Blanks and hyphens
 * in a telephone number do not matter. `postName`: a post in the words of the page.
 */
export function found(contacts: readonly Contact[], wanted: Wanted, places: Places, postName: (post: string) => string): Contact[] {
  const words = plain(wanted.text).split(/\s+/).filter((word) => word !== '');
  return contacts.filter((contact) => {
    if (wanted.side !== '' && contact.side !== wanted.side) return false;
    if (wanted.post !== '' && contact.post !== wanted.post) return false;
    if (wanted.stale && !contact.stale) return false;
    const { id, name, post, title, organisation, phone, mail } = contact;
    const place = placeOf(contact, places);
    const text = plain([id, name, post, postName(post), title, organisation, place, mail].join('\n'));
    const digits = phone.replaceAll(/[^\d]/g, '');
    return words.every((word) => {
      const asDigits = word.replaceAll(/[-+()]/g, '');
      return text.includes(word) || plain(phone).includes(word) || (/^\d{3,}$/.test(asDigits) && digits.includes(asDigits));
    });
  });
}

export function postsOf(contacts: readonly Contact[]): string[] {
  return [...new Set(contacts.map(({ post }) => post))].sort();
}

/** Whom a message can reach by no address at all. */
export function isUnreachable({ phone, mail, addresses }: Contact): boolean {
  return phone === '' && mail === '' && Object.keys(addresses).length === 0;
}

export interface Duty {
  roster: Roster;
  side: Side;
  /** The turn that holds now; null: a gap between shifts. */
  now: Turn | null;
  next: Turn | null;
}

/** Who has the duty, the desk's before the enterprises'. */
export function dutiesOf(rosters: readonly Roster[], at: number): Duty[] {
  const duties = rosters.map((roster): Duty => {
    const turns = roster.turns.filter(({ end }) => Date.parse(end) > at);
    const now = turns.find(({ begin }) => Date.parse(begin) <= at) ?? null;
    const next = turns.find(({ begin }) => Date.parse(begin) > at) ?? null;
    return { roster, side: roster.enterprise === null ? 'desk' : 'enterprise', now, next };
  });
  return duties.sort((one, other) => (one.side === other.side ? 0 : one.side === 'desk' ? -1 : 1));
}
