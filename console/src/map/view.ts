/**
 * From longitude and latitude to the screen: Web Mercator, as tiles have it, with north up. It is drawn together by the
 * cosine of the middle latitude, so that a unit of the plane is a degree of latitude there.
 */

export interface Point {
  x: number;
  y: number;
}

export interface Size {
  width: number;
  height: number;
}

export interface Bounds {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** What of the plane is seen: the point in the middle of the screen, and pixels per unit. */
export interface View {
  x: number;
  y: number;
  scale: number;
}

/** Metres in a degree of latitude. */
export const METRES = 111_320;
/** Nearer than half a metre a pixel nothing is known. */
const NEAREST = METRES * 2;
const FARTHEST = 20;
const PADDING = 40;
/** Where the square of Web Mercator ends, degrees. */
const FARTHEST_NORTH = 85.0511;
/** Of a place that stands alone: so much around it, some 2 km. */
const ALONE = 0.02;

export class Projection {
  private readonly narrowing: number;

  constructor(middleLatitude: number) {
    this.narrowing = Math.max(0.05, Math.cos((middleLatitude * Math.PI) / 180));
  }

  point(longitude: number, latitude: number): Point {
    const angle = (Math.min(FARTHEST_NORTH, Math.max(-FARTHEST_NORTH, latitude)) * Math.PI) / 180;
    const up = (Math.log(Math.tan(Math.PI / 4 + angle / 2)) * 180) / Math.PI;
    return { x: longitude * this.narrowing, y: -up * this.narrowing };
  }

  /** The square that tiles divide. */
  get world(): { left: number; top: number; side: number } {
    return { left: -180 * this.narrowing, top: -180 * this.narrowing, side: 360 * this.narrowing };
  }
}

export function boundsOf(points: Iterable<Point>): Bounds | null {
  let found: Bounds | null = null;
  for (const { x, y } of points) {
    found ??= { left: x, right: x, top: y, bottom: y };
    found.left = Math.min(found.left, x);
    found.right = Math.max(found.right, x);
    found.top = Math.min(found.top, y);
    found.bottom = Math.max(found.bottom, y);
  }
  return found;
}

function clamped(scale: number): number {
  return Math.min(NEAREST, Math.max(FARTHEST, scale));
}

export function fit(bounds: Bounds, size: Size): View {
  const width = Math.max(bounds.right - bounds.left, ALONE);
  const height = Math.max(bounds.bottom - bounds.top, ALONE);
  const across = Math.max(1, size.width - 2 * PADDING) / width;
  const down = Math.max(1, size.height - 2 * PADDING) / height;
  return {
    x: (bounds.left + bounds.right) / 2,
    y: (bounds.top + bounds.bottom) / 2,
    scale: clamped(Math.min(across, down)),
  };
}

export function toScreen(view: View, size: Size, point: Point): Point {
  return {
    x: (point.x - view.x) * view.scale + size.width / 2,
    y: (point.y - view.y) * view.scale + size.height / 2,
  };
}

/** Moves what is drawn by so many pixels. */
export function moved(view: View, right: number, down: number): View {
  return { ...view, x: view.x - right / view.scale, y: view.y - down / view.scale };
}

/** `at`: the point of the screen that stays where it is. */
export function zoomed(view: View, factor: number, at: Point, size: Size): View {
  const scale = clamped(view.scale * factor);
  const [right, down] = [at.x - size.width / 2, at.y - size.height / 2];
  return {
    x: view.x + right / view.scale - right / scale,
    y: view.y + down / view.scale - down / scale,
    scale,
  };
}

/** The longest round distance of at most so many pixels: metres and pixels. */
export function scaleBar(view: View, most: number): { metres: number; pixels: number } {
  const longest = (most / view.scale) * METRES;
  const power = 10 ** Math.floor(Math.log10(longest));
  const step = [5, 2, 1].find((one) => one * power <= longest) ?? 1;
  return { metres: step * power, pixels: ((step * power) / METRES) * view.scale };
}
