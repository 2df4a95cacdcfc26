/** Key figures of the service, as JSON, as a page to print and as a table. */

import { download, get } from '@/api/client';
import type { KeyFigures } from '@/api/types';

export function keyFigures(request: Record<string, string>): Promise<KeyFigures> {
  return get('kpi', request);
}

export function saveReport(request: Record<string, string>, name: string): Promise<void> {
  return download('kpi/report', `${name}.html`, request);
}

export function saveTable(request: Record<string, string>, name: string): Promise<void> {
  return download('kpi/table', `${name}.csv`, request);
}
