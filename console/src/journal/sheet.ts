/** What was found in the journal as a table for Excel. */

import { BYTE_ORDER_MARK, cell, isoLocal } from '@/trend/csv';

export interface Row {
  sequence: number;
  /** ISO 8601 */
  at: string;
  kind: string;
  what: string;
  enterprise: string;
  unit: string;
  tag: string;
  alarm: number | null;
  incident: number | null;
  who: string;
  hash: string;
}

export const COLUMNS = ['sequence', 'at', 'kind', 'what', 'enterprise', 'unit', 'tag', 'alarm', 'incident', 'who', 'hash'] as const;

/** `head`: names of `COLUMNS`. Times are local, with their offset. */
export function sheetOf(head: readonly string[], rows: readonly Row[]): string {
  const lines = rows.map((row) =>
    COLUMNS.map((column) => cell(column === 'at' ? isoLocal(Date.parse(row.at)) : String(row[column] ?? ''))).join(','),
  );
  return BYTE_ORDER_MARK + [head.map(cell).join(','), ...lines, ''].join('\r\n');
}
