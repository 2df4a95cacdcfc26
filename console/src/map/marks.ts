/** Which places have a mark at a given nearness, and where the names stand so that none covers what matters more. */

import { rank } from '@/alarms/grades';
import { arranged, widthOf, type Arranged, type Side } from '@/map/labels';
import type { EnterprisePlace, UnitPlace } from '@/map/places';
import type { Standing } from '@/map/standing';
import { boundsOf, toScreen, type Point, type Size, type View } from '@/map/view';

/** An enterprise whose units lie closer together than so many pixels is one mark. */
const APART = 110;
const MARGIN = 60;
const LINE = 20;

export interface Mark {
  key: string;
  at: Point;
  name: string;
  enterprise: string;
  /** Null: the enterprise as a whole. */
  unit: string | null;
  hazard: number | null;
  standing: Standing;
}

function ofUnit(enterprise: EnterprisePlace, unit: UnitPlace, at: Point): Mark {
  const { key, name, hazard, standing } = unit;
  return { key, at, name, enterprise: enterprise.id, unit: unit.id, hazard, standing };
}

/** True where its units are told apart. */
export function isOpened(enterprise: EnterprisePlace, view: View): boolean {
  const placed = enterprise.units.flatMap(({ at }) => at ?? []);
  const bounds = boundsOf(placed);
  if (bounds === null) return false;
  return Math.hypot(bounds.right - bounds.left, bounds.bottom - bounds.top) * view.scale >= APART || placed.length === 1;
}

/** Marks on the screen, gravest last, so that they are drawn over the others. */
export function marksOf(places: readonly EnterprisePlace[], view: View, size: Size): Mark[] {
  const found: Mark[] = [];
  const add = (point: Point | null, make: (at: Point) => Mark): void => {
    if (point === null) return;
    const at = toScreen(view, size, point);
    const seen = at.x > -MARGIN && at.y > -MARGIN && at.x < size.width + MARGIN && at.y < size.height + MARGIN;
    if (seen) found.push(make(at));
  };
  for (const place of places) {
    if (isOpened(place, view)) {
      for (const unit of place.units) add(unit.at, (at) => ofUnit(place, unit, at));
      // What is at units without a position, or at none, must be seen as well.
      const shown = place.units.filter(({ at }) => at !== null).map(({ standing }) => rank(standing.grade));
      if (rank(place.standing.grade) <= Math.max(...shown)) continue;
    }
    const { id, name, standing } = place;
    add(place.at, (at) => ({ key: id, at, name, enterprise: id, unit: null, hazard: gravestHazard(place), standing }));
  }
  return found.sort((a, b) => rank(a.standing.grade) - rank(b.standing.grade));
}

function gravestHazard({ units }: EnterprisePlace): number | null {
  const levels = units.flatMap(({ hazard }) => hazard ?? []);
  return levels.length === 0 ? null : Math.min(...levels);
}

/**
 * On which side of its mark each name stands; names that would cover a mark or a more important name are left out. What
 * is abnormal always keeps its name. `text`: all that is written there; `free`: the side to be tried first, that leaves the wind's free.
 */
export function labelsOf(
  marks: readonly Mark[],
  text: (mark: Mark) => string,
  free: (mark: Mark) => Side | null,
  size: Size,
): Arranged {
  return arranged(
    marks.map((mark) => ({
      key: mark.key,
      at: mark.at,
      width: widthOf(text(mark)) + 12,
      height: LINE,
      always: mark.standing.grade !== null,
      first: free(mark),
    })),
    size,
  );
}
