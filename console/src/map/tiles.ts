/** Tiles of a server under the map: which are seen, and where they lie. Web Mercator, as the plane is. */

import type { SiteMap } from '@/api/types';
import { toScreen, type Projection, type Size, type View } from '@/map/view';

export type TileServer = NonNullable<SiteMap['tiles']>;

export interface Tile {
  key: string;
  href: string;
  left: number;
  top: number;
  /** Pixels: it is drawn a little larger, or else lines show between tiles. */
  side: number;
}

const SIDE = 256;
const MOST = 400;

export function tilesOf(server: TileServer, projection: Projection, view: View, size: Size): Tile[] {
  const { left, top, side } = projection.world;
  const level = Math.min(server.deepest, Math.max(0, Math.round(Math.log2((side * view.scale) / SIDE))));
  const count = 2 ** level;
  const pixels = (side * view.scale) / count;
  const corner = toScreen(view, size, { x: left, y: top });
  const range = (from: number, extent: number): [number, number] => [Math.floor(-from / pixels), Math.floor((extent - from) / pixels)];
  const [firstX, lastX] = range(corner.x, size.width);
  const [firstY, lastY] = range(corner.y, size.height);
  if ((lastX - firstX + 1) * (lastY - firstY + 1) > MOST) return [];
  const found: Tile[] = [];
  for (let y = Math.max(0, firstY); y <= Math.min(count - 1, lastY); y += 1) {
    for (let column = firstX; column <= lastX; column += 1) {
      const x = ((column % count) + count) % count;
      const href = server.url.replace('{z}', String(level)).replace('{x}', String(x)).replace('{y}', String(y));
      found.push({ key: `${level}/${column}/${y}`, href, left: corner.x + column * pixels, top: corner.y + y * pixels, side: pixels });
    }
  }
  return found;
}
