/** What of the journal is looked for, as the page's address holds it: shared by a link, kept through a reload. */

import { isGroup, type Group } from '@/journal/kinds';
import { isSpan, timesOf, type Span } from '@/journal/spans';

export interface View {
  text: string;
  /** A word for a time; null: `from` and `to`, or any. */
  span: Span | null;
  /** ms; null: open */
  from: number | null;
  to: number | null;
  groups: readonly Group[];
  kind: string;
  enterprise: string;
  unit: string;
  actor: string;
  alarm: number | null;
  incident: number | null;
}

export const ANYTHING: View = {
  text: '', span: null, from: null, to: null, groups: [], kind: '', enterprise: '', unit: '', actor: '', alarm: null, incident: null,
};

type Query = Readonly<Record<string, string | null | undefined | readonly (string | null)[]>>;

const LONGEST = 200;

function text(value: Query[string]): string {
  const one = typeof value === 'string' ? value : (value?.[0] ?? '');
  // eslint-disable-next-line no-control-regex -- what the service refuses
  return one.replaceAll(/[\u0000-\u001f\u007f]/g, ' ').trim().slice(0, LONGEST);
}

function instant(value: Query[string]): number | null {
  const at = Date.parse(text(value));
  return Number.isNaN(at) || at < 0 ? null : at;
}

function number(value: Query[string]): number | null {
  const one = text(value);
  return /^[1-9]\d{0,14}$/.test(one) ? Number(one) : null;
}

/** What an address does not say well is left out. */
export function viewOf(query: Query): View {
  const span = text(query.span);
  const [from, to] = [instant(query.from), instant(query.to)];
  const known = isSpan(span) ? span : null;
  return {
    text: text(query.text),
    span: known,
    from: known === null ? from : null,
    to: known === null && (from === null || to === null || to > from) ? to : null,
    groups: [...new Set(text(query.groups).split(','))].filter(isGroup),
    kind: text(query.kind),
    enterprise: text(query.enterprise),
    unit: text(query.enterprise) === '' ? '' : text(query.unit),
    actor: text(query.actor),
    alarm: number(query.alarm),
    incident: number(query.incident),
  };
}

function iso(at: number | null): string | undefined {
  return at === null ? undefined : new Date(at).toISOString();
}

function present(all: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== ''));
}

function common(view: View): Record<string, string | undefined> {
  const { text: words, groups, kind, enterprise, unit, actor, alarm, incident } = view;
  return { text: words, groups: groups.join(','), kind, enterprise, unit, actor, alarm: alarm?.toString(), incident: incident?.toString() };
}

/** Times of its own, by clock and calendar. */
export function hasOwnTimes({ from, to }: View): boolean {
  return from !== null || to !== null;
}

export function queryOf(view: View): Record<string, string> {
  return present({ ...common(view), span: view.span ?? undefined, from: iso(view.from), to: iso(view.to) });
}

/** What the service is asked. */
export function requestOf(view: View, now: number): Record<string, string> {
  const [since, until] = view.span === null ? [view.from, view.to] : timesOf(view.span, now);
  return present({ ...common(view), since: iso(since), until: iso(until) });
}

/** Names of the parts that narrow the search, each to be taken away by itself. */
export type Part = 'text' | 'time' | 'groups' | 'kind' | 'enterprise' | 'unit' | 'actor' | 'alarm' | 'incident';

export function partsOf(view: View): Part[] {
  const { span, from, to, groups } = view;
  const found: [Part, boolean][] = [
    ['time', span !== null || from !== null || to !== null],
    ['enterprise', view.enterprise !== ''],
    ['unit', view.unit !== ''],
    ['groups', groups.length > 0],
    ['kind', view.kind !== ''],
    ['actor', view.actor !== ''],
    ['alarm', view.alarm !== null],
    ['incident', view.incident !== null],
    ['text', view.text !== ''],
  ];
  return found.filter(([, given]) => given).map(([part]) => part);
}

export function without(view: View, part: Part): View {
  switch (part) {
    case 'time':
      return { ...view, span: null, from: null, to: null };
    case 'enterprise':
      return { ...view, enterprise: '', unit: '' };
    default:
      return { ...view, [part]: ANYTHING[part] };
  }
}
