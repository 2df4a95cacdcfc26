/** What the lists of alarms and incidents are worth now. No Vue. */

import { NOTHING } from '@/format/numbers';

/**
 * `unread`: there was no answer yet. `old`: as of before the service was lost, or not caught up yet. `current`: what
 * is not in them is not there.
 */
export type Lists = 'unread' | 'old' | 'current';

/** A number out of the lists: none says that all is well, and only current ones can. */
export function counted(count: number, lists: Lists): string {
  return lists === 'current' || (lists === 'old' && count > 0) ? String(count) : NOTHING;
}
