/** One form of signing in: what the service has said to it. */

import type { Problem } from '@/api/client';

export type Answer =
  /** The password is right, and a one-time code is asked for. */
  | { kind: 'code' }
  | { kind: 'wrong' }
  /** Too many were wrong. */
  | { kind: 'wait'; seconds: number }
  /** The code is not six digits. */
  | { kind: 'malformed' }
  | { kind: 'other' };

const LONGEST_GUESS = 60;

export function answerOf({ status, fields, retryAfter }: Problem): Answer {
  if (status === 401) return { kind: fields.includes('code') ? 'code' : 'wrong' };
  if (status === 429) return { kind: 'wait', seconds: retryAfter ?? LONGEST_GUESS };
  if (status === 400 && fields.some((field) => field.endsWith('code'))) return { kind: 'malformed' };
  return { kind: 'other' };
}

/** `1:05`, of seconds. */
export function countdown(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
