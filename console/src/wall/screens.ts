/** What a wall screen shows by turns, and what it stops at: red and orange that nobody has acknowledged. */

import { rank } from '@/alarms/grades';
import type { Incident } from '@/api/types';

/** How long each screen stands. */
export const TURN_MS = 15_000;
/** How long it stops at an incident that nobody acknowledges; after that it goes by turns again. */
export const HOLD_MS = 600_000;
export const INCIDENTS = 5;
export const ENTERPRISES = 6;

/** One screen of the round. */
export interface Screen {
  kind: 'incidents' | 'map' | 'enterprises';
  /** From 0. */
  page: number;
  pages: number;
}

function pagesOf(kind: Screen['kind'], count: number, most: number): Screen[] {
  const pages = Math.max(1, Math.ceil(count / most));
  return Array.from({ length: pages }, (_, page) => ({ kind, page, pages }));
}

/** The round: every page of the incidents, the map where anything has a place on one, every page of the enterprises. */
export function roundOf(incidents: number, enterprises: number, mapped: boolean): Screen[] {
  return [
    ...pagesOf('incidents', incidents, INCIDENTS),
    ...(mapped ? pagesOf('map', 1, 1) : []),
    ...pagesOf('enterprises', enterprises, ENTERPRISES),
  ];
}

export function pageOf<Item>(items: readonly Item[], page: number, most: number): Item[] {
  return items.slice(page * most, (page + 1) * most);
}

/** Remembers since when each incident has had its grade, and says which have to be looked at now. */
export class Attention {
  /** By incident and grade: since when, ms. */
  private readonly known = new Map<string, number>();
  private begun = false;

  /** Real ones first, then the graver, then the newer. `now`: ms by the service's clock. */
  waiting(incidents: Iterable<Incident>, now: number): Incident[] {
    const present = new Set<string>();
    const found: { incident: Incident; since: number }[] = [];
    for (const incident of incidents) {
      if (rank(incident.grade) < rank('orange')) continue;
      const key = `${incident.id} ${incident.grade}`;
      present.add(key);
      // Since when it was so grave before this screen was is not known. Where it had been acknowledged, it was for this grade.
      const acknowledged = !this.begun && incident.desk_acknowledgement !== null;
      const since = this.known.get(key) ?? (acknowledged ? Date.parse(incident.opened_at) : now);
      this.known.set(key, since);
      if (isUnseen(incident, since) && now - since < HOLD_MS) found.push({ incident, since });
    }
    for (const key of this.known.keys()) if (!present.has(key)) this.known.delete(key);
    this.begun = true;
    return found.sort((a, b) => order(a.incident, b.incident) || b.since - a.since).map(({ incident }) => incident);
  }
}

/** Nobody has acknowledged it since it became so grave. */
function isUnseen({ alarms_unacknowledged: waiting, desk_acknowledgement: seen }: Incident, since: number): boolean {
  return waiting > 0 && (seen === null || Date.parse(seen.at) < since);
}

function order(a: Incident, b: Incident): number {
  return Number(a.drill !== null) - Number(b.drill !== null) || rank(b.grade) - rank(a.grade);
}
