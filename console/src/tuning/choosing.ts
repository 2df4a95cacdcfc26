/** What can be tuned at all. */

import type { Enterprise } from '@/api/types';

/** The service watches itself as an enterprise of this name, whose rules are its own. */
const OWN = 'anshao';

export function tunable(enterprises: readonly Enterprise[]): Enterprise[] {
  return enterprises.filter((each) => each.id !== OWN && each.units.some((unit) => unit.tags > 0));
}
