/** What people have done about an incident, in the order of time. */

import type { IncidentDetail } from '@/api/types';

export type Attachment = IncidentDetail['files'][number];

/** What every browser shows; HEIC is not among them. */
const SHOWN = new Set(['image/jpeg', 'image/png', 'image/webp']);

export function isShown({ type }: Attachment): boolean {
  return SHOWN.has(type);
}

export interface Done {
  at: string;
  name: string;
  act: 'handle' | 'feed_back' | 'accept' | 'return' | 'attach';
  text: string;
  file?: Attachment;
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
