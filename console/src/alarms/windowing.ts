/** Which rows of a long list are drawn. All rows have the same height. */

export interface Window {
  first: number;
  /** One past the last row. */
  last: number;
}

const OVERSCAN = 6;

export function windowOf(count: number, rowHeight: number, scrollTop: number, viewport: number): Window {
  const top = Math.max(0, Math.min(scrollTop, count * rowHeight - viewport));
  return {
    first: Math.max(0, Math.floor(top / rowHeight) - OVERSCAN),
    last: Math.min(count, Math.ceil((top + viewport) / rowHeight) + OVERSCAN),
  };
}

/** `next`, or `before` where both are the same, so that nothing is drawn anew for it. */
export function steady(before: Window | undefined, next: Window): Window {
  return before?.first === next.first && before.last === next.last ? before : next;
}

/**
 * A place in the document for each key, which keeps it for as long as it is drawn. Places that came free are taken again
 * by what comes: to fill one with other words costs far less than to make it.
 */
export function seated<Key>(before: ReadonlyMap<Key, number> | undefined, keys: readonly Key[]): ReadonlyMap<Key, number> {
  const staying = new Map<Key, number>();
  for (const key of keys) {
    const place = before?.get(key);
    if (place !== undefined) staying.set(key, place);
  }
  const taken = new Set(staying.values());
  let free = 0;
  const next = new Map<Key, number>();
  for (const key of keys) {
    let place = staying.get(key);
    if (place === undefined) {
      while (taken.has(free)) free += 1;
      place = free;
      free += 1;
    }
    next.set(key, place);
  }
  return next;
}

/** Rows from the top of the view on that are looked at, and how far one may move beyond most of them. */
const LOOKED_AT = 40;
const APART = 3;

/**
 * Scroll position that keeps the row at the top of the view where it is, after the list changed around it. A row that
 * left the others, as one that was acknowledged, is not followed.
 */
export function anchoredScroll<Key>(
  before: readonly Key[],
  after: readonly Key[],
  rowHeight: number,
  scrollTop: number,
): number {
  if (scrollTop <= 0) return 0;
  const top = Math.floor(scrollTop / rowHeight);
  const position = new Map(after.map((id, index) => [id, index]));
  const moves = before.slice(top, top + LOOKED_AT).flatMap((id, index) => {
    const found = position.get(id);
    return found === undefined ? [] : [found - (top + index)];
  });
  const usual = [...moves].sort((a, b) => a - b)[moves.length >> 1] ?? 0;
  const move = moves.find((by) => Math.abs(by - usual) <= APART) ?? 0;
  return Math.max(0, scrollTop + move * rowHeight);
}
