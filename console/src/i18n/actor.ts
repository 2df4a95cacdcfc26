/** Who did what the journal says. */

import type { Entry } from '@/api/types';
import { OWN } from '@/format/names';

/** Name of the person who signed, else of the caller; null for what the service did by itself. */
export function actorOf(entry: Entry): string | null {
  const { name } = entry.data;
  if (typeof name === 'string' && name !== '') return name;
  return entry.actor === OWN ? null : entry.actor;
}
