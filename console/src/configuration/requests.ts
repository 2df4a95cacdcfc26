/** Requests about the configuration: documents, revisions, and changing them. */

import { ask, get } from '@/api/client';
import type { ConfigCheck, ConfigDocumentList, ConfigDocumentText, Health, Page, Revision, RevisionDetail } from '@/api/types';
import type { SentFile } from '@/configuration/files';

export interface Signed {
  author: string;
  reason: string;
  based_on: number;
}

export function fetchHealth(): Promise<Health> {
  return get('health');
}

/** `revision` null: the one that holds. */
export function fetchDocuments(revision: number | null = null): Promise<ConfigDocumentList> {
  return get('config/documents', { revision });
}

export function fetchDocument(name: string, revision: number | null): Promise<ConfigDocumentText> {
  return get(`config/documents/${encodeURIComponent(name)}`, { revision });
}

export function fetchRevisions(after: string | null): Promise<Page<Revision>> {
  return get('config/revisions', { after, limit: 50 });
}

/** `against` null: the one before it. */
export function fetchRevision(number: number, against: number | null, limit = 300): Promise<RevisionDetail> {
  return get(`config/revisions/${number}`, { against, limit });
}

export function checkFiles(files: readonly SentFile[], givenUp: AbortSignal): Promise<ConfigCheck> {
  return ask('config/check', { files, limit: 300 }, givenUp);
}

/** Takes as long as a check; leaving the page does not take it back. */
export function makeRevision(files: readonly SentFile[], signed: Signed): Promise<Revision> {
  return ask('config/revisions', { files, ...signed }, new AbortController().signal);
}

export function restoreRevision(number: number, signed: Signed): Promise<Revision> {
  return ask(`config/revisions/${number}/restore`, signed, new AbortController().signal);
}
