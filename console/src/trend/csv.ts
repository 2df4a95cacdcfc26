/** What a chart shows as a table for Excel: one row per reading or bucket, times with their offset. */

import { dateOf, timeOfDay } from '@/format/time';
import { rowsWithin, type Line } from '@/trend/lines';

/** Excel takes UTF-8 for what it is only where the file begins with it. */
export const BYTE_ORDER_MARK = '\uFEFF';
const LINE_END = '\r\n';

export interface Sheet {
  /** Names of the columns. */
  head: readonly string[];
  pens: readonly { enterprise: string; tag: string; description: string; unit: string; line: Line }[];
  /** First and last instant, ms. */
  window: readonly [number, number];
  quality: (quality: number) => string;
}

/** Local time with milliseconds and offset: `2026-06-08T10:30:00.000+08:00`. */
export function isoLocal(instant: number): string {
  const minutes = -new Date(instant).getTimezoneOffset();
  const two = (value: number): string => String(value).padStart(2, '0');
  const size = Math.abs(minutes);
  const offset = `${minutes < 0 ? '-' : '+'}${two(Math.trunc(size / 60))}:${two(size % 60)}`;
  const thousandths = String(((Math.round(instant) % 1000) + 1000) % 1000).padStart(3, '0');
  return `${dateOf(instant)}T${timeOfDay(instant)}.${thousandths}${offset}`;
}

/** Texts come from strangers: none may begin as a formula does. */
export function cell(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

function numeral(value: number | null | undefined): string {
  return value === null || value === undefined ? '' : String(value);
}

/** `time, enterprise, tag, description, unit, value, lowest, highest, quality, seconds`, in the order of the pens. */
export function csvOf({ head, pens, window, quality }: Sheet): string {
  const [first, last] = window;
  const lines = [head.map(cell).join(',')];
  for (const { enterprise, tag, description, unit, line } of pens) {
    const names = [enterprise, tag, description, unit].map(cell).join(',');
    for (const row of rowsWithin(line, first / 1000, last / 1000)) {
      const values = [line.mean[row], line.min[row], line.max[row]].map(numeral).join(',');
      const at = isoLocal((line.t[row] ?? 0) * 1000);
      lines.push(`${at},${names},${values},${cell(quality(line.quality[row] ?? 0))},${line.step === 0 ? '' : line.step}`);
    }
  }
  return BYTE_ORDER_MARK + lines.join(LINE_END) + LINE_END;
}

/** `trend-20260608-103000`, of the last instant that is shown. */
export function fileName(instant: number): string {
  return `trend-${dateOf(instant).replaceAll('-', '')}-${timeOfDay(instant).replaceAll(':', '')}`;
}
