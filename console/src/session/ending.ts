/** How near the end of a session is. */

/** Told so long before [ours]. */
export const WARNING_MS = 600_000;

export interface Ending {
  at: string;
  /** Milliseconds. */
  left: number;
  over: boolean;
}

/** Null: it is far, or there is none. `now` by the service's clock. */
export function endingOf(endsAt: string | null, now: number): Ending | null {
  if (endsAt === null) return null;
  const left = Date.parse(endsAt) - now;
  return left > WARNING_MS ? null : { at: endsAt, left, over: left <= 0 };
}
