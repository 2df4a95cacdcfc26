/** Messages of open incidents that reach nobody: each way to the recipient has failed. */

import type { Message } from '@/api/types';

export interface Failing {
  count: number;
  /** The newest incident that somebody has not been told of. */
  incident: number;
}

/** What fails of what is still open; null: all arrives. */
export function failing(messages: readonly Pick<Message, 'incident' | 'drill'>[], isOpen: (incident: number) => boolean): Failing | null {
  const incidents = messages.flatMap(({ incident, drill }) =>
    incident !== null && drill === null && isOpen(incident) ? [incident] : [],
  );
  return incidents.length === 0 ? null : { count: incidents.length, incident: Math.max(...incidents) };
}
