/** On which side of its mark each name stands, so that none covers what matters more. */

import type { Point, Size } from '@/map/view';

/** Of a mark, to each side of its middle. */
export const REACH = 13;
const WIDE = 13;
const NARROW = 7.5;

export type Side = 'right' | 'left' | 'below' | 'above';

export interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

export interface Named {
  key: string;
  at: Point;
  width: number;
  height: number;
  /** It has its name even where that covers another. */
  always: boolean;
  /** The side to be tried first. */
  first: Side | null;
}

/** Width of a text of 13 px, roughly: a measured one would cost a reflow for each name. */
export function widthOf(text: string): number {
  return Array.from(text).reduce((sum, letter) => sum + (letter > '\u2e7f' ? WIDE : NARROW), 0);
}

export function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

/** Nothing of it is cut by the edge of the screen. */
export function isWithin({ left, right, top, bottom }: Box, { width, height }: Size): boolean {
  return left >= 0 && top >= 0 && right <= width && bottom <= height;
}

export function around({ x, y }: Point, across: number, down: number): Box {
  return { left: x - across, right: x + across, top: y - down, bottom: y + down };
}

function boxOf({ at, width, height }: Named, side: Side): Box {
  const [near, half] = [REACH + 3, height / 2];
  switch (side) {
    case 'right':
      return { left: at.x + near, right: at.x + near + width, top: at.y - half, bottom: at.y + half };
    case 'left':
      return { left: at.x - near - width, right: at.x - near, top: at.y - half, bottom: at.y + half };
    case 'below':
      return { left: at.x - width / 2, right: at.x + width / 2, top: at.y + REACH, bottom: at.y + REACH + height };
    case 'above':
      return { left: at.x - width / 2, right: at.x + width / 2, top: at.y - REACH - height, bottom: at.y - REACH };
  }
}

const SIDES: readonly Side[] = ['right', 'left', 'below', 'above'];

export interface Arranged {
  sides: Map<string, Side>;
  /** What marks and names cover. */
  taken: Box[];
}

/** `named`: the most important last, as they are drawn. A side on which the edge of `size` would cut the name is tried last. */
export function arranged(named: readonly Named[], size: Size | null = null): Arranged {
  const taken: (Box & { key: string })[] = named.map(({ key, at }) => ({ key, ...around(at, REACH, REACH) }));
  const sides = new Map<string, Side>();
  for (const one of [...named].reverse()) {
    const free = (one.first === null ? SIDES : [one.first, ...SIDES]).filter((side) => {
      const box = boxOf(one, side);
      return !taken.some((other) => other.key !== one.key && overlap(box, other));
    });
    const side = free.find((each) => size === null || isWithin(boxOf(one, each), size)) ?? free[0] ?? (one.always ? (one.first ?? 'right') : null);
    if (side === null) continue;
    sides.set(one.key, side);
    taken.push({ key: `${one.key} `, ...boxOf(one, side) });
  }
  return { sides, taken };
}
