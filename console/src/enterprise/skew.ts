/** What a gateway's clock skew means: received time less source time of its newest reading. */

import type { Gateway } from '@/api/types';

/** Beyond this its clock is off, or its readings come late [ours]. */
export const TOLERANCE_MS = 5_000;

export type Skew = 'unchecked' | 'unknown' | 'right' | 'ahead' | 'behind';

export function skewOf(gateway: Pick<Gateway, 'clock' | 'clock_skew_ms'>): Skew {
  if (gateway.clock === 'source') return 'unchecked';
  if (gateway.clock_skew_ms === null) return 'unknown';
  if (gateway.clock_skew_ms < -TOLERANCE_MS) return 'ahead';
  return gateway.clock_skew_ms > TOLERANCE_MS ? 'behind' : 'right';
}
