/** What can be tuned at all. */

import type { Enterprise } from '@/api/types';
import { OWN } from '@/format/names';

/** The rules by which the service watches itself are its own. */
export function tunable(enterprises: readonly Enterprise[]): Enterprise[] {
  return enterprises.filter((each) => each.id !== OWN && each.units.some((unit) => unit.tags > 0));
}
