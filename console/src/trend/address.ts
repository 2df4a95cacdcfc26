/** What the page of trends shows, as its address holds it: shared by a link, kept through a reload. */

/** Tags that one chart can tell apart. */
export const MOST_TAGS = 8;

const MINUTE = 60_000;
/** Spans of a live trend by their names in the address. */
export const LIVE_SPANS = { '15m': 15 * MINUTE, '1h': 60 * MINUTE, '8h': 480 * MINUTE, '24h': 1440 * MINUTE, '7d': 10_080 * MINUTE };
const FIRST_SPAN = LIVE_SPANS['1h'];
/** Shorter than this nothing is to be seen. */
export const LEAST_SPAN = 5_000;
const MOST_SPAN = 366 * 1440 * MINUTE;

export interface View {
  /** `enterprise/tag`, in the order of their pens. */
  tags: readonly string[];
  /** ms */
  span: number;
  /** Last instant, ms; null: now, and on from there. */
  end: number | null;
}

type Query = Readonly<Record<string, string | null | undefined | readonly (string | null)[]>>;

function listed(value: Query[string]): string[] {
  const all = typeof value === 'string' ? [value] : (value ?? []);
  return all.filter((each): each is string => each !== null);
}

export function viewOf(query: Query): View {
  const tags = [...new Set(listed(query.tag).filter((path) => /^[^/]+\/./.test(path)))].slice(0, MOST_TAGS);
  const from = Date.parse(listed(query.from)[0] ?? '');
  const to = Date.parse(listed(query.to)[0] ?? '');
  if (to - from >= LEAST_SPAN && to - from <= MOST_SPAN) return { tags, span: to - from, end: to };
  const named = listed(query.span)[0] ?? '';
  const span = Object.entries(LIVE_SPANS).find(([name]) => name === named)?.[1] ?? FIRST_SPAN;
  return { tags, span, end: null };
}

export function queryOf({ tags, span, end }: View): Record<string, string | string[]> {
  const tag = [...tags];
  if (end !== null) return { tag, from: new Date(end - span).toISOString(), to: new Date(end).toISOString() };
  const [name = '1h'] = Object.entries(LIVE_SPANS).find(([, ms]) => ms === span) ?? [];
  return { tag, span: name };
}

/** The live span that covers `ms`, or the longest there is. */
export function liveSpan(ms: number): number {
  return Object.values(LIVE_SPANS).find((span) => span >= ms) ?? LIVE_SPANS['7d'];
}

/** Twice as much (`factor` 2) or half (0.5) about the middle, and never the future. */
export function zoomed({ tags, span, end }: View, factor: number, now: number): View {
  const wanted = Math.min(MOST_SPAN, Math.max(LEAST_SPAN, Math.round(span * factor)));
  const middle = (end ?? now) - span / 2;
  return { tags, span: wanted, end: Math.min(now, Math.round(middle + wanted / 2)) };
}

/** Half a window earlier (-1) or later (1); at the present it is live again. */
export function shifted({ tags, span, end }: View, direction: -1 | 1, now: number): View {
  const last = (end ?? now) + (direction * span) / 2;
  if (last >= now) return { tags, span: liveSpan(span), end: null };
  return { tags, span, end: Math.round(last) };
}
