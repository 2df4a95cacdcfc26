/** What people have done about an incident, in the order of time. */

import type { IncidentDetail } from '@/api/types';

export interface Done {
  at: string;
  name: string;
  act: 'handle' | 'feed_back' | 'accept' | 'return' | 'attach';
  text: string;
  file?: IncidentDetail['files'][number];
}

export function doneOf({ disposal, feedback, review, files }: Pick<IncidentDetail, 'disposal' | 'feedback' | 'review' | 'files'>): Done[] {
  const all: Done[] = [
    ...disposal.map(({ at, name, step }): Done => ({ at, name, act: 'handle', text: step })),
    ...feedback.map(({ at, name, text }): Done => ({ at, name, act: 'feed_back', text })),
    ...(review === null ? [] : [{ at: review.at, name: review.name, act: review.accepted ? 'accept' : 'return', text: review.comment } as const]),
    ...files.map((file): Done => ({ at: file.at, name: file.by, act: 'attach', text: '', file })),
  ];
  return all.sort((one, other) => Date.parse(one.at) - Date.parse(other.at));
}
