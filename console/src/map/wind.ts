/** The wind at a place, and where gas that leaks there goes: a direction to look in, never a dispersion calculation. */

import { UNCERTAIN } from '@/alarms/quality';
import type { LiveReading } from '@/live/readings';
import type { Point } from '@/map/view';

/** m/s below which a vane does not tell a direction that one may rely on [ours]. */
export const CALM = 1;
/** Degrees to either side of the wind that count as downwind [ours]. */
export const HALF_ANGLE = 30;
/** A reading is old after so many of its periods, and never before so many ms [ours]. */
const PERIODS = 3;
const LEAST_AGE = 15_000;

export const COMPASS = [
  'n', 'nne', 'ne', 'ene', 'e', 'ese', 'se', 'sse', 's', 'ssw', 'sw', 'wsw', 'w', 'wnw', 'nw', 'nnw',
] as const;
export type CompassPoint = (typeof COMPASS)[number];

/** `none`: no tag tells it. `unknown`: tags do, but not now. */
export type Wind =
  | { kind: 'none' | 'unknown' }
  | { kind: 'calm'; speed: number }
  | { kind: 'known'; speed: number; from: number; toward: number };

export function compassPoint(degrees: number): CompassPoint {
  return COMPASS[Math.round((((degrees % 360) + 360) % 360) / 22.5) % 16] ?? 'n';
}

function trusted(reading: LiveReading | undefined, period: number, now: number): number | null {
  if (reading === undefined || reading.value === null || reading.quality < UNCERTAIN) return null;
  return now - reading.received > Math.max(LEAST_AGE, PERIODS * period) ? null : reading.value;
}

/** `now` by the service's clock. */
export function windOf(
  speed: LiveReading | undefined,
  direction: LiveReading | undefined,
  period: number,
  now: number,
): Wind {
  const [strength, from] = [trusted(speed, period, now), trusted(direction, period, now)];
  if (strength === null || strength < 0) return { kind: 'unknown' };
  if (strength < CALM) return { kind: 'calm', speed: strength };
  if (from === null) return { kind: 'unknown' };
  const turned = ((from % 360) + 360) % 360;
  return { kind: 'known', speed: strength, from: turned, toward: (turned + 180) % 360 };
}

/** Degrees from north over east to a point of the screen. */
export function toward(from: Point, degrees: number, distance: number): Point {
  const angle = (degrees * Math.PI) / 180;
  return { x: from.x + Math.sin(angle) * distance, y: from.y - Math.cos(angle) * distance };
}

/** A sector of the screen. Its length is of the screen and not of the ground: nobody knows here how far gas goes. */
export function sector(at: Point, degrees: number, radius: number): string {
  const [begin, end] = [toward(at, degrees - HALF_ANGLE, radius), toward(at, degrees + HALF_ANGLE, radius)];
  const text = ({ x, y }: Point): string => `${x.toFixed(1)} ${y.toFixed(1)}`;
  return `M${text(at)}L${text(begin)}A${radius} ${radius} 0 0 1 ${text(end)}Z`;
}
