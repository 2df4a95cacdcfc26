/** Refused messages: by what they are chosen, and why they were refused. */

import type { RefusedOf } from '@/enterprise/requests';

export const REASONS = [
  'unreadable',
  'wrong_shape',
  'too_large',
  'unknown_topic',
  'unknown_gateway',
  'wrong_enterprise',
  'wrong_gateway',
  'unknown_tag',
  'impossible_time',
  'future_time',
  'unreadable_value',
  'retained',
] as const;

/** `gateway`: its id within the enterprise, or `enterprise/gateway` where there is none. */
export function chosenBy(enterprise: string | null, gateway: string | null, reason: string): RefusedOf {
  const [of, id] = gateway === null || enterprise !== null ? [enterprise, gateway] : split(gateway);
  return { enterprise: of, gateway: id, reason: reason === '' ? null : reason };
}

function split(path: string): [string, string] {
  const at = path.indexOf('/');
  return [path.slice(0, at), path.slice(at + 1)];
}
