/** Who did what the journal says. */

import type { Entry } from '@/api/types';

/** The service's own acts are signed so. */
const SERVICE = 'anshao';

/** Name of the person who signed, else of the caller; null for what the service did by itself. */
export function actorOf(entry: Entry): string | null {
  const { name } = entry.data;
  if (typeof name === 'string' && name !== '') return name;
  return entry.actor === SERVICE ? null : entry.actor;
}
