/** Tags found by words of their name, description, unit or enterprise. */

import type { Enterprise, Tag } from '@/api/types';
import { formatUnit } from '@/format/numbers';

export interface Findable {
  tag: Tag;
  /** `enterprise · unit` in words. */
  place: string;
  description: string;
}

export function unitNames(enterprises: readonly Enterprise[]): Map<string, string> {
  return new Map(enterprises.flatMap((one) => one.units.map((unit) => [`${one.id}/${unit.id}`, unit.name] as const)));
}

/** The first `most` that have every word; those whose name begins with the first word stand before the others. */
export function found(all: readonly Findable[], text: string, most: number): { shown: Findable[]; more: number } {
  const wanted = text.toLowerCase().split(/\s+/).filter((word) => word !== '');
  const hits = all.filter(({ tag, place, description }) => {
    const said = `${tag.tag} ${description} ${place} ${tag.unit} ${formatUnit(tag.engineering_unit)} ${tag.measurand}`.toLowerCase();
    return wanted.every((word) => said.includes(word));
  });
  const first = wanted[0] ?? '';
  const begins = (one: Findable): number => Number(!one.tag.tag.toLowerCase().startsWith(first));
  const ordered = first === '' ? hits : hits.sort((a, b) => begins(a) - begins(b));
  return { shown: ordered.slice(0, most), more: Math.max(0, ordered.length - most) };
}
