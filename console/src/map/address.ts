/** The address of the map with a unit chosen: `#/map?enterprise=…&unit=…`. */

import type { LocationQuery, RouteLocationRaw } from 'vue-router';

import type { Mark } from '@/map/marks';

export interface Chosen {
  enterprise: string;
  unit: string;
}

/** Something to be looked at; the number makes every asking a new one. */
export interface Sought {
  enterprise: string;
  unit?: string;
  times: number;
}

export function onMap({ enterprise, unit }: Chosen): RouteLocationRaw {
  return { name: 'map', query: { enterprise, unit } };
}

export function chosenOf({ enterprise, unit }: LocationQuery): Chosen | null {
  return typeof enterprise === 'string' && typeof unit === 'string' ? { enterprise, unit } : null;
}

/** Key of the mark that stands for it: its own, else that of its enterprise. */
export function markOf(chosen: Chosen | null, marks: readonly Pick<Mark, 'key'>[]): string | null {
  if (chosen === null) return null;
  const keys = [`${chosen.enterprise}/${chosen.unit}`, chosen.enterprise];
  return keys.find((key) => marks.some((mark) => mark.key === key)) ?? null;
}
