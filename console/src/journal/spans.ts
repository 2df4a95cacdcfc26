/** Times that are asked for by a word. */

const HOUR = 3_600_000;
/** When shifts change by the clock [ours]; a handover itself is no clock. */
const MORNING = 8;
const EVENING = 20;

export const SPANS = ['hour', 'shift', 'night', '24h', '7d'] as const;
export type Span = (typeof SPANS)[number];

export function isSpan(name: string): name is Span {
  return (SPANS as readonly string[]).includes(name);
}

/** That hour of the local day which lies so many days from the instant's. */
function hourOf(instant: number, hour: number, days = 0): number {
  const at = new Date(instant);
  return new Date(at.getFullYear(), at.getMonth(), at.getDate() + days, hour).getTime();
}

/** First and last instant, ms; null: on from there. Last night is yesterday's, which may go on; in the evening the shift is the night that has begun. */
export function timesOf(span: Span, now: number): [number, number | null] {
  const hour = new Date(now).getHours();
  switch (span) {
    case 'hour':
      return [now - HOUR, null];
    case 'shift':
      if (hour < MORNING) return [hourOf(now, EVENING, -1), null];
      return [hourOf(now, hour < EVENING ? MORNING : EVENING), null];
    case 'night':
      return [hourOf(now, EVENING, -1), hour < MORNING ? null : hourOf(now, MORNING)];
    case '24h':
      return [now - 24 * HOUR, null];
    case '7d':
      return [now - 168 * HOUR, null];
  }
}
