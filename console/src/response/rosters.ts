/** Rosters as a week's table. Times in ms, days as the browser has them. */

import type { Turn } from '@/api/types';
import { moment } from '@/format/time';

export interface Day {
  /** Its midnight. */
  begin: number;
  turns: Turn[];
}

/** Midnight of the Monday of that week, so many weeks on. */
export function mondayOf(instant: number, weeks = 0): number {
  const at = new Date(instant);
  const sinceMonday = (at.getDay() + 6) % 7;
  return new Date(at.getFullYear(), at.getMonth(), at.getDate() - sinceMonday + 7 * weeks).getTime();
}

/** Seven days with the turns that begin on each; one under way since before stands on the first, as does one that began there. */
export function weekOf(monday: number, turns: readonly Turn[]): Day[] {
  const first = new Date(monday);
  return Array.from({ length: 7 }, (_, index) => {
    const midnight = (day: number): number => new Date(first.getFullYear(), first.getMonth(), first.getDate() + day).getTime();
    const [begin, end] = [midnight(index), midnight(index + 1)];
    const ofDay = turns.filter((turn) => {
      const at = Date.parse(turn.begin);
      return at < end && (at >= begin || (index === 0 && Date.parse(turn.end) > begin));
    });
    return { begin, turns: ofDay };
  });
}

export function isNow(turn: Turn, now: number): boolean {
  return Date.parse(turn.begin) <= now && now < Date.parse(turn.end);
}

/** When a shift begins or ends, which is seldom told in seconds. */
export function clockTime(instant: string, now: number): string {
  return moment(instant, now).replace(/(:\d\d):00$/, '$1');
}
