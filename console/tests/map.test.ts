import { describe, expect, it } from 'vitest';

import type { SiteMap } from '@/api/types';
import { chosenOf, markOf, onMap } from '@/map/address';
import { around } from '@/map/labels';
import { isOpened, labelsOf, marksOf, type Mark } from '@/map/marks';
import { namesOf, spotsOf } from '@/map/names';
import { byGravity, groundOf, inOrder, placesOf, regionGrades, type Drawn } from '@/map/places';
import { joined, QUIET, standings, type Standing } from '@/map/standing';
import { boundsOf, fit, moved, Projection, scaleBar, toScreen, zoomed, type Point, type View } from '@/map/view';
import { compassPoint, sector, windOf } from '@/map/wind';

import { alarm, incident } from './samples';

const SIZE = { width: 800, height: 600 };

function standing(change: Partial<Standing> = {}): Standing {
  return { ...QUIET, grade: 'orange', incident: 1, alarms: 1, unacknowledged: 1, ...change };
}

function unit(id: string, position: [number, number] | null): SiteMap['enterprises'][number]['units'][number] {
  const at = position === null ? null : { longitude: position[0], latitude: position[1] };
  return { id, name: id, hazard_level: id === 'tanks' ? 2 : null, position: at, wind: null };
}

const MAP: SiteMap = {
  datum: 'WGS-84',
  tiles: null,
  outlines: [
    { name: '公路', kind: 'road', region: null, enterprise: null, area: false, paths: [[118, 36, 120, 37]] },
    { name: '云泽县', kind: 'region', region: '370783', enterprise: null, area: true, paths: [[118, 36, 119, 36, 119, 37, 118, 36]] },
  ],
  regions: [
    { code: '370700', name: '市', parent: null },
    { code: '370783', name: '云泽县', parent: '370700' },
  ],
  enterprises: [
    { id: 'works', name: '测试厂', region: '370783', position: null, wind: null, units: [unit('tanks', [118.5, 36.5]), unit('boiler', [118.6, 36.6]), unit('below', null)] },
    { id: 'mine', name: '矿', region: '370700', position: { longitude: 118.9, latitude: 36.9 }, wind: null, units: [unit('face', null)] },
  ],
};
const GROUND = groundOf(MAP);

describe('the view', () => {
  const view: View = { x: 10, y: -36, scale: 1000 };

  it('has north up and east to the right', () => {
    const projection = new Projection(60);
    const [here, east, north] = [projection.point(118, 60), projection.point(119, 60), projection.point(118, 60.01)];
    expect(east.x - here.x).toBeCloseTo(0.5);
    expect(north.y - here.y).toBeCloseTo(-0.01, 5);
  });

  it('shows all of what it is fitted to, in the middle', () => {
    const bounds = { left: 1, right: 3, top: -5, bottom: -4 };
    const fitted = fit(bounds, SIZE);
    const corners = [{ x: 1, y: -5 }, { x: 3, y: -4 }].map((corner) => toScreen(fitted, SIZE, corner));
    expect(corners[0]?.x).toBeCloseTo(40);
    expect(corners[1]?.x).toBeCloseTo(760);
    expect(toScreen(fitted, SIZE, { x: 2, y: -4.5 })).toEqual({ x: 400, y: 300 });
  });

  it('does not come nearer to a single place than its surroundings', () => {
    expect(fit({ left: 1, right: 1, top: 1, bottom: 1 }, SIZE).scale).toBe(26_000);
  });

  it('zooms about the pointer, and only so far', () => {
    const under = { x: 100, y: 500 };
    const point = { x: view.x + (under.x - 400) / view.scale, y: view.y + (under.y - 300) / view.scale };
    const nearer = zoomed(view, 2, under, SIZE);
    expect(nearer.scale).toBe(2000);
    expect(toScreen(nearer, SIZE, point).x).toBeCloseTo(100);
    expect(toScreen(nearer, SIZE, point).y).toBeCloseTo(500);
    expect(zoomed(view, 1e9, under, SIZE).scale).toBe(222_640);
    expect(zoomed(view, 0, under, SIZE).scale).toBe(20);
  });

  it('moves with the pointer', () => {
    const point = { x: 10, y: -36 };
    const there = toScreen(moved(view, 30, -20), SIZE, point);
    expect(there.x).toBeCloseTo(430);
    expect(there.y).toBeCloseTo(280);
  });

  it('tells a round distance', () => {
    const { metres, pixels } = scaleBar({ ...view, scale: 111_320 / 100 }, 130);
    expect(metres).toBe(10_000);
    expect(pixels).toBeCloseTo(100);
  });

  it('has no bounds of nothing', () => {
    expect(boundsOf([])).toBeNull();
  });
});

describe('the wind', () => {
  const at = (value: number | null, received = 0, quality = 192): { value: number | null; quality: number; time: string; received: number } => ({
    value, quality, time: '', received,
  });

  it('blows toward where it does not come from', () => {
    expect(windOf(at(3), at(315), 1000, 0)).toEqual({ kind: 'known', speed: 3, from: 315, toward: 135 });
    expect(windOf(at(3), at(-10), 1000, 0)).toEqual({ kind: 'known', speed: 3, from: 350, toward: 170 });
  });

  it('has no direction while it is calm', () => {
    expect(windOf(at(0.9), at(315), 1000, 0)).toEqual({ kind: 'calm', speed: 0.9 });
    expect(windOf(at(0.4), undefined, 1000, 0).kind).toBe('calm');
  });

  it.each([
    ['no reading yet', undefined, at(90)],
    ['no direction', at(3), undefined],
    ['an old reading', at(3, -15_001), at(90)],
    ['a bad one', at(3), at(90, 0, 0)],
    ['one without a value', at(null), at(90)],
    ['an impossible one', at(-1), at(90)],
  ])('is not known with %s', (_, speed, direction) => {
    expect(windOf(speed, direction, 1000, 0).kind).toBe('unknown');
  });

  it('waits longer for readings that come seldom', () => {
    expect(windOf(at(3, -50_000), at(90, -50_000), 20_000, 0).kind).toBe('known');
  });

  it('is named by sixteen points', () => {
    expect([0, 11.2, 11.3, 90, 250, 348.8, 360, -90].map(compassPoint)).toEqual(['n', 'n', 'nne', 'e', 'wsw', 'n', 'n', 'w']);
  });

  it('has a sector to both sides of where it blows', () => {
    expect(sector({ x: 0, y: 0 }, 90, 100)).toBe('M0.0 0.0L86.6 -50.0A100 100 0 0 1 86.6 50.0Z');
  });
});

describe('how it stands', () => {
  const found = (alarms: ReturnType<typeof alarm>[], incidents: ReturnType<typeof incident>[]): Standing | undefined =>
    standings({
      alarms: new Map(alarms.map((one) => [one.id, one])),
      incidents: new Map(incidents.map((one) => [one.id, one])),
    }).get('huarui/tankfarm');

  it('is the gravest of incidents and alarms', () => {
    const alarms = [alarm({ grade: 'red', incident: null }), alarm({ id: 2, state: 'acknowledged' })];
    const told = found(alarms, [incident({ id: 5, grade: 'yellow' }), incident({ id: 6, grade: 'orange' })]);
    expect(told).toMatchObject({ grade: 'red', incident: 6, alarms: 2, unacknowledged: 1, drill: false });
  });

  it('leaves drills aside where anything is real, and marks them where nothing is', () => {
    const real = found([alarm({ grade: 'blue' }), alarm({ id: 2, grade: 'red', drill: 1 })], [incident({ drill: 1, grade: 'red' })]);
    expect(real).toMatchObject({ grade: 'blue', drill: false, incident: null });
    expect(found([alarm({ grade: 'red', drill: 1 })], [])).toMatchObject({ grade: 'red', drill: true });
  });

  it('is a release where a gas detector was first and gas is still there', () => {
    const open = [incident({ id: 1 })];
    const later = '2026-06-08T02:31:00.000Z';
    expect(found([alarm({ first_out: true })], open)?.release).toBe(true);
    expect(found([alarm({ first_out: true, condition: false })], open)?.release).toBe(false);
    expect(found([alarm({ first_out: true, gas: null }), alarm({ id: 2, entered_at: later })], open)?.release).toBe(false);
    // The first-out is gone already: the earliest of the others stands for it.
    expect(found([alarm({ id: 2 }), alarm({ id: 3, gas: null, entered_at: later })], open)?.release).toBe(true);
    expect(found([alarm({ gas: 'methane', first_out: true })], open)?.release).toBe(false);
    expect(found([alarm({ first_out: true })], [])?.release).toBe(false);
  });

  it('of several counts what is real before drills', () => {
    const drill = standing({ grade: 'red', drill: true, incident: 9 });
    expect(joined([QUIET, drill, standing({ grade: 'yellow', incident: 2 })])).toMatchObject({ grade: 'yellow', incident: 2 });
    expect(joined([QUIET, drill])).toEqual(drill);
    expect(joined([QUIET])).toEqual(QUIET);
    expect(joined([standing(), standing({ grade: 'red', incident: 7, release: true })])).toMatchObject({
      grade: 'red', incident: 7, alarms: 2, release: true,
    });
  });
});

describe('places', () => {
  const red = standing({ grade: 'red' });

  it('keep every unit, and an enterprise without a position stands in the midst of its units', () => {
    const [works, mine] = placesOf(MAP, GROUND, new Map([['works/gateways', red]]));
    expect(works?.units.map(({ id, at }) => [id, at === null])).toEqual([['tanks', false], ['boiler', false], ['below', true]]);
    const middle = GROUND.projection.point(118.55, 36.55);
    expect(works?.at?.x).toBeCloseTo(middle.x);
    expect(works?.at?.y).toBeCloseTo(middle.y);
    expect(works?.standing.grade).toBe('red');
    expect(mine?.units[0]?.at).toBeNull();
  });

  it('begin with borders, and draw what matters over what does not', () => {
    expect(GROUND.outlines.map(({ kind }) => kind)).toEqual(['region', 'road']);
    expect(GROUND.outlines[0]?.path).toMatch(/^M.*Z$/);
    expect(GROUND.bounds?.bottom).toBe(GROUND.projection.point(118, 36).y);
  });

  it('tint a region and those above it, but not for a drill', () => {
    const grades = regionGrades(MAP, placesOf(MAP, GROUND, new Map([['works/tanks', red], ['mine/face', standing({ drill: true })]])));
    expect([...grades]).toEqual([['370783', 'red'], ['370700', 'red']]);
  });

  it('are listed gravest first, or in an order that was read already', () => {
    const places = placesOf(MAP, GROUND, new Map([['mine/face', red], ['works/tanks', standing({ grade: 'blue' })]]));
    expect(byGravity(places).map(({ id }) => id)).toEqual(['mine', 'works']);
    expect(inOrder(places, ['mine']).map(({ id }) => id)).toEqual(['mine', 'works']);
  });
});

describe('the address of the map', () => {
  it('names a unit, whose mark is its own or that of its enterprise', () => {
    expect(onMap({ enterprise: 'works', unit: 'tanks' })).toEqual({ name: 'map', query: { enterprise: 'works', unit: 'tanks' } });
    const chosen = chosenOf({ enterprise: 'works', unit: 'tanks' });
    expect(markOf(chosen, [{ key: 'works' }, { key: 'works/tanks' }])).toBe('works/tanks');
    expect(markOf(chosen, [{ key: 'works/boiler' }, { key: 'works' }])).toBe('works');
    expect(markOf(chosen, [{ key: 'mine' }])).toBeNull();
    expect(markOf(chosenOf({ enterprise: 'works' }), [{ key: 'works' }])).toBeNull();
  });
});

describe('marks', () => {
  const near = fit({ left: 95, right: 95.4, top: -36.7, bottom: -36.4 }, SIZE);
  const far: View = { ...near, scale: 200 };
  const at = (name: string, x: number, change: Partial<Mark> = {}): Mark => ({
    key: name, name, at: { x, y: 100 }, enterprise: 'works', unit: name, hazard: null, standing: QUIET, ...change,
  });
  const everyName = ({ name }: Mark): string => name;
  const nowhere = (): null => null;

  it('are of units from near, of the enterprise from afar', () => {
    const places = placesOf(MAP, GROUND, new Map());
    const whole = fit(GROUND.bounds ?? { left: 0, right: 0, top: 0, bottom: 0 }, SIZE);
    expect(places.map((place) => isOpened(place, far))).toEqual([false, false]);
    expect(marksOf(places, { ...whole, scale: 200 }, SIZE).map(({ key }) => key)).toEqual(['works', 'mine']);
    const units = marksOf(places, { ...whole, scale: 2000 }, { width: 8000, height: 8000 });
    expect(units.map(({ key }) => key)).toEqual(['works/tanks', 'works/boiler', 'mine']);
  });

  it('show the enterprise as well while a unit without a position is the gravest', () => {
    const places = placesOf(MAP, GROUND, new Map([['works/below', standing()]]));
    const whole = fit(GROUND.bounds ?? { left: 0, right: 0, top: 0, bottom: 0 }, SIZE);
    const seen = marksOf(places, { ...whole, scale: 2000 }, { width: 8000, height: 8000 });
    expect(seen.map(({ key }) => key)).toContain('works');
    expect(seen.at(-1)?.key).toBe('works');
  });

  it('have names that cover neither a mark nor a more important name', () => {
    const { sides } = labelsOf([at('one', 100), at('two', 130), at('three', 160)], everyName, nowhere, SIZE);
    expect(sides.get('three')).toBe('right');
    expect(sides.get('two')).toBe('below');
    expect(sides.get('one')).toBe('left');
    const crowd = Array.from({ length: 20 }, (_, index) => at(`mark ${index}`, 100 + index * 4));
    expect(labelsOf(crowd, everyName, nowhere, SIZE).sides.size).toBeLessThan(8);
  });

  it('that are abnormal always have theirs, on the side that leaves the wind free', () => {
    const marks = [...Array.from({ length: 9 }, (_, index) => at(`mark ${index}`, 60 + index * 20)), at('leak', 140, { standing: standing() })];
    expect(labelsOf(marks, everyName, nowhere, SIZE).sides.has('leak')).toBe(true);
    expect(labelsOf([at('leak', 140)], everyName, () => 'left', SIZE).sides.get('leak')).toBe('left');
    expect(labelsOf([at('leak', 10)], everyName, () => 'left', SIZE).sides.get('leak')).toBe('right'); // the edge would cut it
  });
});

describe('names of outlines', () => {
  const square = (left: number, top: number, side: number): Point[] => [
    { x: left, y: top }, { x: left + side, y: top }, { x: left + side, y: top + side }, { x: left, y: top + side },
  ];
  const drawn = (key: string, kind: Drawn['kind'], rings: Point[][]): Drawn => {
    const bounds = boundsOf(rings.flat());
    return { key, name: '云泽县', kind, region: null, area: true, path: '', bounds, spots: spotsOf(rings, bounds) };
  };
  const view: View = { x: 200, y: 150, scale: 2 };

  it('stand inside of what they name, also where its middle is a hole', () => {
    const ring = [square(0, 0, 400), square(120, 120, 160)];
    for (const { x, y } of spotsOf(ring, boundsOf(ring.flat()))) {
      expect(x > 120 && x < 280 && y > 120 && y < 280).toBe(false);
    }
    expect(spotsOf([[{ x: 0, y: 0 }, { x: 1, y: 0 }]], { left: 0, right: 1, top: 0, bottom: 0 })).toEqual([{ x: 0.5, y: 0 }]);
  });

  it('dodge marks and each other, and are left out where there is no room', () => {
    const county = drawn('county', 'region', [square(0, 0, 400)]);
    const town = drawn('town', 'built_up', [square(150, 100, 100)]);
    const free = namesOf([county, town], view, SIZE, []);
    expect(free.map(({ key }) => key)).toEqual(['county', 'town']);
    expect(Math.abs((free[0]?.at.y ?? 0) - (free[1]?.at.y ?? 0))).toBeGreaterThan(20);
    const [first] = namesOf([county], view, SIZE, [around(free[0]?.at ?? { x: 0, y: 0 }, 20, 20)]);
    expect(first?.at).not.toEqual(free[0]?.at);
    expect(namesOf([county, town], view, SIZE, [around({ x: 400, y: 300 }, 400, 300)])).toEqual([]);
    expect(namesOf([town], { ...view, scale: 0.1 }, SIZE, [])).toEqual([]);
  });
});
