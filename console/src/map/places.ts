/** What the map and the list beside it show: the same places, in the plane and in words. */

import { rank } from '@/alarms/grades';
import type { Grade, SiteMap } from '@/api/types';
import { spotsOf } from '@/map/names';
import { joined, QUIET, type Standing } from '@/map/standing';
import { boundsOf, Projection, type Bounds, type Point } from '@/map/view';

type MapWind = SiteMap['enterprises'][number]['wind'];

export interface UnitPlace {
  /** `enterprise/unit`. */
  key: string;
  id: string;
  name: string;
  hazard: number | null;
  /** Null: the site file gives no position. */
  at: Point | null;
  wind: MapWind;
  standing: Standing;
}

export interface EnterprisePlace {
  id: string;
  name: string;
  region: string;
  /** Its own, else the middle of its units. */
  at: Point | null;
  wind: MapWind;
  units: readonly UnitPlace[];
  standing: Standing;
}

export interface Drawn {
  key: string;
  name: string;
  kind: SiteMap['outlines'][number]['kind'];
  region: string | null;
  area: boolean;
  /** Path of SVG in units of the plane. */
  path: string;
  bounds: Bounds | null;
  /** Where its name may stand, the best first. */
  spots: readonly Point[];
}

/** What stands still. */
export interface Ground {
  projection: Projection;
  outlines: readonly Drawn[];
  /** Everything that is shown at first: borders of regions and all places. */
  bounds: Bounds | null;
}

/** Drawn first, and so under all that follows. */
const ORDER: readonly Drawn['kind'][] = ['region', 'water', 'other', 'built_up', 'railway', 'road', 'enterprise'];

function* pointsOf(path: readonly number[], projection: Projection): Generator<Point> {
  for (let index = 0; index + 1 < path.length; index += 2) {
    yield projection.point(path[index] ?? 0, path[index + 1] ?? 0);
  }
}

function pathOf(points: readonly Point[], area: boolean): string {
  const text = points.map(({ x, y }) => `${x.toFixed(6)} ${y.toFixed(6)}`).join('L');
  return `M${text}${area ? 'Z' : ''}`;
}

function* positionsOf(map: SiteMap): Generator<{ longitude: number; latitude: number }> {
  for (const enterprise of map.enterprises) {
    if (enterprise.position !== null) yield enterprise.position;
    for (const { position } of enterprise.units) if (position !== null) yield position;
  }
}

function middleLatitude(map: SiteMap): number {
  const found = [...positionsOf(map)].map(({ latitude }) => latitude);
  for (const { paths } of map.outlines) for (const path of paths) if (path[1] !== undefined) found.push(path[1]);
  return found.length === 0 ? 0 : (found.reduce((least, one) => Math.min(least, one)) + found.reduce((most, one) => Math.max(most, one))) / 2;
}

export function groundOf(map: SiteMap): Ground {
  const projection = new Projection(middleLatitude(map));
  const outlines = map.outlines.map(({ name, kind, region, area, paths }, index): Drawn => {
    const drawn = paths.map((path) => [...pointsOf(path, projection)]);
    const path = drawn.map((points) => pathOf(points, area)).join('');
    const bounds = boundsOf(drawn.flat());
    return { key: String(index), name, kind, region, area, path, bounds, spots: area ? spotsOf(drawn, bounds) : [] };
  });
  outlines.sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
  const places = [...positionsOf(map)].map(({ longitude, latitude }) => projection.point(longitude, latitude));
  const corners = outlines
    .filter(({ kind }) => kind === 'region')
    .flatMap(({ bounds }) => (bounds === null ? [] : cornersOf(bounds)));
  return { projection, outlines, bounds: boundsOf([...corners, ...places]) };
}

function cornersOf({ left, right, top, bottom }: Bounds): Point[] {
  return [{ x: left, y: top }, { x: right, y: bottom }];
}

function middleOf(points: readonly Point[]): Point | null {
  const bounds = boundsOf(points);
  return bounds === null ? null : { x: (bounds.left + bounds.right) / 2, y: (bounds.top + bounds.bottom) / 2 };
}

export function placesOf(map: SiteMap, ground: Ground, found: ReadonlyMap<string, Standing>): EnterprisePlace[] {
  const point = (position: SiteMap['enterprises'][number]['position']): Point | null =>
    position === null ? null : ground.projection.point(position.longitude, position.latitude);
  return map.enterprises.map((enterprise): EnterprisePlace => {
    const units = enterprise.units.map(
      ({ id, name, hazard_level: hazard, position, wind }): UnitPlace => ({
        key: `${enterprise.id}/${id}`,
        id,
        name,
        hazard,
        at: point(position),
        wind,
        standing: found.get(`${enterprise.id}/${id}`) ?? QUIET,
      }),
    );
    // Alarms of its gateways, and of units that the file has no more, are of the enterprise as well.
    const own = [...found].filter(([key]) => key.startsWith(`${enterprise.id}/`)).map(([, standing]) => standing);
    const { id, name, region, wind } = enterprise;
    const at = point(enterprise.position) ?? middleOf(units.flatMap((unit) => unit.at ?? []));
    return { id, name, region, at, wind, units, standing: joined(own) };
  });
}

/** Grade of each region and of all above it; drills tint nothing. */
export function regionGrades(map: SiteMap, places: readonly EnterprisePlace[]): Map<string, Grade> {
  const parents = new Map(map.regions.map(({ code, parent }) => [code, parent]));
  const grades = new Map<string, Grade>();
  for (const { region, standing } of places) {
    if (standing.grade === null || standing.drill) continue;
    for (let code: string | null = region; code !== null; code = parents.get(code) ?? null) {
      if (rank(standing.grade) > rank(grades.get(code) ?? null)) grades.set(code, standing.grade);
    }
  }
  return grades;
}

/** Gravest first, what is real before drills; else as the site file has them. */
export function byGravity(places: readonly EnterprisePlace[]): EnterprisePlace[] {
  const weight = ({ standing }: EnterprisePlace): number => rank(standing.grade) * (standing.drill ? 0.1 : 1);
  return [...places].sort((a, b) => weight(b) - weight(a));
}

/** In an order that was read already: what is new comes last. */
export function inOrder<Place extends { id: string }>(places: readonly Place[], order: readonly string[]): Place[] {
  const index = new Map(order.map((id, at) => [id, at]));
  return [...places].sort((a, b) => (index.get(a.id) ?? order.length) - (index.get(b.id) ?? order.length));
}
