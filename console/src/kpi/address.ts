/** Whose key figures, and of which period, as the page's address holds it. */

import { dateOf } from '@/format/time';

export const SCOPES = ['all', 'desk', 'region', 'enterprise'] as const;
export type Scope = (typeof SCOPES)[number];
export const DAYS = [1, 7, 30, 90] as const;
const DAY = 86_400_000;
const MOST_DAYS = 400;

export interface View {
  scope: Scope;
  /** Empty with scope `all`. */
  id: string;
  /** Days up to now; null: `from` to `to`. */
  days: number | null;
  /** First and last day, `YYYY-MM-DD`. */
  from: string;
  to: string;
}

/** Somebody whose figures can be asked for. */
export interface Choice {
  scope: Scope;
  id: string;
  name: string;
}

type Query = Readonly<Record<string, string | null | undefined | readonly (string | null)[]>>;

function text(value: Query[string]): string {
  return (typeof value === 'string' ? value : (value?.[0] ?? '')).slice(0, 200);
}

function date(value: Query[string]): string {
  const one = text(value);
  return /^\d{4}-\d\d-\d\d$/.test(one) && !Number.isNaN(Date.parse(one)) ? one : '';
}

/** Local midnight of a day, so many days on. */
function midnight(day: string, on = 0): number {
  const [year = 0, month = 1, of = 1] = day.split('-').map(Number);
  return new Date(year, month - 1, of + on).getTime();
}

export function isPeriod(from: string, to: string): boolean {
  const length = midnight(to, 1) - midnight(from);
  return from !== '' && to !== '' && length > 0 && length <= MOST_DAYS * DAY;
}

export function viewOf(query: Query): View {
  const scope = SCOPES.find((one) => one === text(query.scope)) ?? 'all';
  const id = scope === 'all' ? '' : text(query.id);
  const [from, to] = [date(query.from), date(query.to)];
  const own = isPeriod(from, to);
  return {
    scope: id === '' ? 'all' : scope,
    id,
    days: own ? null : (DAYS.find((days) => String(days) === text(query.days)) ?? 30),
    from: own ? from : '',
    to: own ? to : '',
  };
}

export function queryOf({ scope, id, days, from, to }: View): Record<string, string> {
  const whose: Record<string, string> = scope === 'all' ? {} : { scope, id };
  return days === null ? { ...whose, from, to } : { ...whose, days: String(days) };
}

/** First and last instant that is asked for, ms. */
export function periodOf({ days, from, to }: View, now: number): [number, number] {
  return days === null ? [midnight(from), midnight(to, 1)] : [now - days * DAY, now];
}

export function requestOf(view: View, now: number): Record<string, string> {
  const [start, end] = periodOf(view, now).map((at) => new Date(at).toISOString());
  const whose: Record<string, string> = view.scope === 'all' ? { scope: 'all' } : { scope: view.scope, id: view.id };
  return { ...whose, start: start ?? '', end: end ?? '' };
}

/** `kpi-370783-20260601-20260630`. */
export function nameOf(view: View, start: string, end: string): string {
  const days = [start, end].map((at) => dateOf(at).replaceAll('-', ''));
  return ['kpi', view.scope === 'all' ? 'all' : view.id.replaceAll(/[^\w.-]/g, '_'), ...days].join('-');
}
