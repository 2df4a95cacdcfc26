/** Where the names of outlines stand: inside of what they name, away from marks, their names and each other. */

import { around, isWithin, overlap, type Box } from '@/map/labels';
import type { Drawn } from '@/map/places';
import { toScreen, type Bounds, type Point, type Size, type View } from '@/map/view';

/** A name is written where its outline is wider than so many pixels. */
const ROOM: Record<Drawn['kind'], number> = {
  region: 120, built_up: 40, water: 130, enterprise: Infinity, road: Infinity, railway: Infinity, other: 120,
};
/** Pixels of a letter, wide and narrow, and of a line. A region's name is larger and its letters stand apart. */
const LETTER = { region: [20, 14, 24], other: [13, 7.5, 18] } as const;
/** In which order they are tried: fractions of an outline's width and height. */
const TRIED: readonly [number, number][] = [
  [0.5, 0.5], [0.5, 0.35], [0.5, 0.65], [0.35, 0.5], [0.65, 0.5], [0.35, 0.3], [0.65, 0.3], [0.35, 0.7], [0.65, 0.7],
  [0.5, 0.2], [0.5, 0.8], [0.2, 0.5], [0.8, 0.5], [0.2, 0.2], [0.8, 0.2], [0.2, 0.8], [0.8, 0.8],
];

export interface Name {
  key: string;
  name: string;
  kind: Drawn['kind'];
  at: Point;
}

/** By the even-odd rule. */
function isInside(rings: readonly (readonly Point[])[], { x, y }: Point): boolean {
  let inside = false;
  for (const ring of rings) {
    ring.forEach((one, index) => {
      const other = ring[(index + 1) % ring.length] ?? one;
      const crosses = one.y > y !== other.y > y;
      if (crosses && x < ((other.x - one.x) * (y - one.y)) / (other.y - one.y) + one.x) inside = !inside;
    });
  }
  return inside;
}

/** Points inside of an area that its name may stand at, the best first; its middle if none of them is inside. */
export function spotsOf(rings: readonly (readonly Point[])[], bounds: Bounds | null): Point[] {
  if (bounds === null) return [];
  const { left, right, top, bottom } = bounds;
  const all = TRIED.map(([across, down]) => ({ x: left + (right - left) * across, y: top + (bottom - top) * down }));
  const inside = all.filter((point) => isInside(rings, point));
  return inside.length > 0 ? inside : all.slice(0, 1);
}

function boxOf(kind: Drawn['kind'], name: string, at: Point): Box {
  const [wide, narrow, line] = LETTER[kind === 'region' ? 'region' : 'other'];
  const width = Array.from(name).reduce((sum, letter) => sum + (letter > '\u2e7f' ? wide : narrow), 0);
  return around(at, width / 2 + 4, line / 2);
}

/** Names that have room. `taken`: what marks and their names cover. Regions come first, then what is larger. */
export function namesOf(outlines: readonly Drawn[], view: View, size: Size, taken: readonly Box[]): Name[] {
  const covered = [...taken];
  const found: Name[] = [];
  const wanted = outlines.flatMap((outline) => {
    const { name, kind, area, bounds } = outline;
    if (bounds === null || !area || name === '') return [];
    const width = (bounds.right - bounds.left) * view.scale;
    // One that is larger than the screen is no place any more but a background.
    return width < ROOM[kind] || width > size.width * 3 ? [] : [{ outline, weight: kind === 'region' ? Infinity : width }];
  });
  wanted.sort((a, b) => (a.weight === b.weight ? 0 : b.weight - a.weight));
  for (const { outline: { key, name, kind, spots } } of wanted) {
    for (const spot of spots) {
      const at = toScreen(view, size, spot);
      const box = boxOf(kind, name, at);
      if (!isWithin(box, size) || covered.some((other) => overlap(box, other))) continue;
      covered.push(box);
      found.push({ key, name, kind, at });
      break;
    }
  }
  return found;
}
