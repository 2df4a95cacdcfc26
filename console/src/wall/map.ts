/** What stands beside the map of a wall: where something is wrong, in words. */

import { rank } from '@/alarms/grades';
import type { EnterprisePlace } from '@/map/places';
import type { Standing } from '@/map/standing';

export interface Trouble {
  /** Of the wind as well: `enterprise/unit` or `enterprise`. */
  key: string;
  enterprise: string;
  enterpriseName: string;
  /** Null: it is at the enterprise as a whole. */
  unit: string | null;
  name: string;
  standing: Standing;
  /** It has a mark. */
  placed: boolean;
}

function weight({ standing }: Trouble): number {
  return rank(standing.grade) * (standing.drill ? 0.1 : 1);
}

/** Gravest first, what is real before drills, leaks before the rest of their grade. */
export function troublesOf(places: readonly EnterprisePlace[]): Trouble[] {
  const found: Trouble[] = [];
  for (const place of places) {
    const common = { enterprise: place.id, enterpriseName: place.name };
    const wrong = place.units.filter(({ standing }) => standing.grade !== null);
    for (const { key, id, name, standing, at } of wrong) {
      found.push({ ...common, key, unit: id, name, standing, placed: (at ?? place.at) !== null });
    }
    // Of its gateways, or of units that the site file has no more.
    const told = Math.max(0, ...wrong.map(({ standing }) => rank(standing.grade)));
    if (rank(place.standing.grade) > told) {
      found.push({ ...common, key: place.id, unit: null, name: place.name, standing: place.standing, placed: place.at !== null });
    }
  }
  return found.sort((a, b) => weight(b) - weight(a) || Number(b.standing.release) - Number(a.standing.release));
}
