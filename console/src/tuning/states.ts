/** Where a change can stand, in the order of its course. */

import type { RuleChange } from '@/api/types';

export const STATES = [
  'proposed',
  'backtested',
  'approved',
  'shadow',
  'live',
  'rolled_back',
  'rejected',
  'withdrawn',
] as const satisfies readonly RuleChange['state'][];
