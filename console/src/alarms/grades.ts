/** Grades 预警等级 in their order. */

import type { Grade } from '@/api/types';

/** Gravest first, as they are shown. */
export const GRADES = ['red', 'orange', 'yellow', 'blue'] as const satisfies readonly Grade[];

const RANK: Record<Grade, number> = { blue: 1, yellow: 2, orange: 3, red: 4 };

export function rank(grade: Grade | null): number {
  return grade === null ? 0 : RANK[grade];
}

export function gravest(grades: Iterable<Grade | null>): Grade | null {
  let found: Grade | null = null;
  for (const grade of grades) if (rank(grade) > rank(found)) found = grade;
  return found;
}

/** What an incident was before it turned less grave; null: it never was graver. */
export function graverBefore({ grade, peak_grade: peak }: { grade: Grade; peak_grade: Grade }): Grade | null {
  return rank(peak) > rank(grade) ? peak : null;
}
