/** What the pages of records ask the service. */

import { get } from '@/api/client';
import type { EntryPage } from '@/api/types';

export function lookThrough(request: Record<string, string>, after: string | null, limit: number): Promise<EntryPage> {
  return get('journal', { ...request, after, limit });
}

