/** Where a limit stands on the trend's axis, and which figure it takes when it is dragged there. */

export interface Axis {
  low: number;
  high: number;
  /** Pixels from `high` to `low`. */
  height: number;
}

const STEPS = [1, 2, 5, 10];
/** Steps that PageUp and PageDown go at once. */
const PAGE = 10;

/** The smallest step of 1, 2 or 5 times a power of ten that is no finer than a pixel. */
export function stepOf({ low, high, height }: Axis): number {
  const pixel = (high - low) / Math.max(height, 1);
  if (!(pixel > 0) || !Number.isFinite(pixel)) return 1;
  const power = 10 ** Math.floor(Math.log10(pixel));
  const times = STEPS.find((candidate) => candidate * power >= pixel * (1 - 1e-9)) ?? 10;
  return Number((times * power).toPrecision(3));
}

/** The nearest whole number of steps, without the noise of binary fractions. */
export function snapped(value: number, step: number): number {
  return Number((Math.round(value / step) * step).toPrecision(12));
}

/** Pixels from the top of the plot. */
export function topOf(value: number, { low, high, height }: Axis): number {
  return ((high - value) / (high - low)) * height;
}

/** The figure at a height of the plot; outside it the figure at its edge. */
export function valueAt(top: number, axis: Axis): number {
  const within = Math.min(Math.max(top, 0), axis.height);
  const value = axis.high - (within / axis.height) * (axis.high - axis.low);
  const step = stepOf(axis);
  const near = snapped(value, step);
  if (near > axis.high) return snapped(near - step, step);
  return near < axis.low ? snapped(near + step, step) : near;
}

/** The figure after a key; null: the key moves nothing. `was`: what Home goes back to. */
export function afterKey(key: string, value: number, was: number, step: number, large = false): number | null {
  const far = large ? PAGE : 1;
  switch (key) {
    case 'ArrowUp':
    case 'ArrowRight':
      return snapped(value + far * step, step);
    case 'ArrowDown':
    case 'ArrowLeft':
      return snapped(value - far * step, step);
    case 'PageUp':
      return snapped(value + PAGE * step, step);
    case 'PageDown':
      return snapped(value - PAGE * step, step);
    case 'Home':
      return was;
    default:
      return null;
  }
}

/**
 * The value axis: everything that is drawn, with some air, and below it room for lanes that take `share` of the whole.
 * Without any value it is 0 to 1.
 */
export function axisRange(values: Iterable<number | null>, share: number): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value === null) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) [low, high] = [0, 1];
  const air = (high - low || Math.abs(high) || 1) * 0.08;
  const span = high - low + 2 * air;
  return [low - air - (span * share) / (1 - share), high + air];
}
