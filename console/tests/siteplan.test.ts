import { describe, expect, it } from 'vitest';

import type { SitePlan, Tag } from '@/api/types';
import { Arranging, changesOf, nudge, within } from '@/siteplan/arranging';
import { alarmsByTag, marksOf, onImage, onPlane, sidesOf, type Known } from '@/siteplan/marks';
import { toScreen, type View } from '@/map/view';

import { alarm } from './samples';

const SIZE = { width: 800, height: 600 };
const VIEW: View = { x: 0.5, y: 0.3, scale: 700 };
const RATIO = 0.6;
const plan = (tags: SitePlan['tags'] = []): SitePlan => ({
  id: 1, enterprise: 'works', unit: null, title: '图', type: 'image/png', size: 1, sha256: '', width: 10, height: 6,
  by: '', at: '', version: 1, tags,
});

describe('arranging', () => {
  it('tells what is new, what was moved, and what is gone', () => {
    const draft = new Arranging(plan([{ tag: 'A', x: 0.1, y: 0.1 }, { tag: 'B', x: 0.2, y: 0.2 }, { tag: 'C', x: 0.3, y: 0.3 }]));
    expect(draft.count.value).toBe(0);
    draft.place('A', { x: 0.5, y: 2 });
    draft.remove('B');
    draft.remove('nothing');
    draft.place('D', { x: -1, y: 0.123456789 });
    expect(draft.changes.value).toEqual({
      place: [{ tag: 'A', x: 0.5, y: 1 }, { tag: 'D', x: 0, y: 0.12346 }],
      remove: ['B'],
    });
    draft.place('A', { x: 0.1, y: 0.1 });
    expect(draft.changes.value.place.map(({ tag }) => tag)).toEqual(['D']);
  });

  it('takes a whole drag back in one step', () => {
    const draft = new Arranging(plan());
    draft.place('A', { x: 0.1, y: 0.1 });
    for (const x of [0.2, 0.3, 0.4]) draft.place('A', { x, y: 0.1 }, 'drag 1');
    draft.place('A', { x: 0.5, y: 0.1 }, 'drag 2');
    draft.undo();
    expect(draft.places.value.get('A')).toEqual({ x: 0.4, y: 0.1 });
    draft.undo();
    expect(draft.places.value.get('A')).toEqual({ x: 0.1, y: 0.1 });
    draft.undo();
    expect([draft.places.value.size, draft.canUndo.value]).toEqual([0, false]);
    draft.undo();
  });

  it('moves by arrow keys, and by no others', () => {
    expect(nudge('ArrowLeft', false)).toEqual({ x: -1, y: 0 });
    expect(nudge('ArrowDown', true)).toEqual({ x: 0, y: 20 });
    expect([nudge('ArrowUp', false), nudge('ArrowRight', true)]).toEqual([{ x: 0, y: -1 }, { x: 20, y: 0 }]);
    expect(nudge('Enter', false)).toBeNull();
    expect(within({ x: 1.5, y: -0 })).toEqual({ x: 1, y: 0 });
    expect(changesOf(new Map(), new Map())).toEqual({ place: [], remove: [] });
  });
});

describe('tags on a plan', () => {
  const tag = (name: string): Tag => ({
    tag: name, enterprise: 'works', unit: 'u', gateway: 'g', description: '', measurand: 'h2s', species: null,
    engineering_unit: 'mg/m3', range: [0, 100], period_ms: 1000, has_limits: true, limits: [], status: 'normal', latest: null,
  });
  const now = 1_000_000;
  const known = (change: Partial<Known> = {}): Known => ({
    enterprise: 'works', tags: new Map([['A', tag('A')], ['B', tag('B')]]), alarms: new Map(), now, current: true,
    latest: new Map([['works/A', { value: 1, quality: 192, time: '', received: now }]]), ...change,
  });
  const places = new Map([['A', { x: 0.5, y: 0.5 }], ['B', { x: 0.51, y: 0.5 }], ['gone', { x: 0.1, y: 0.9 }], ['far', { x: 9, y: 9 }]]);

  it('stand where the image has them, and there again', () => {
    const at = toScreen(VIEW, SIZE, onPlane({ x: 0.25, y: 0.75 }, RATIO));
    const back = onImage(VIEW, SIZE, RATIO, at);
    expect([back.x, back.y]).toEqual([expect.closeTo(0.25), expect.closeTo(0.75)]);
  });

  it('are drawn with the gravest last, and with what is known of each', () => {
    const inside = alarm({ enterprise: 'works', tag: 'A', grade: 'red', condition: true, incident: 4 });
    const past = alarm({ enterprise: 'works', tag: 'B', grade: 'red', condition: false });
    const alarms = alarmsByTag([inside, past, alarm({ enterprise: 'other', tag: 'A' })], 'works');
    expect(alarms.get('A')).toEqual([inside]);
    const marks = marksOf(places, VIEW, SIZE, RATIO, known({ alarms }));
    expect(marks.map(({ name, tag: of, view, alarm: worst }) => [name, of !== null, view.status, worst?.grade ?? null])).toEqual([
      ['B', true, 'unknown', null],
      ['gone', false, 'unknown', null],
      ['A', true, 'alarm', 'red'],
    ]);
  });

  it('have labels where there is room; what is in alarm or chosen always has its own', () => {
    const crowd = new Map(Array.from({ length: 30 }, (_, index) => [`T${index}`, { x: 0.5 + index / 1000, y: 0.5 }]));
    const marks = marksOf(crowd, VIEW, SIZE, RATIO, known());
    const text = ({ name }: { name: string }): string => name;
    expect(sidesOf(marks, '', text).size).toBeLessThan(30);
    expect(sidesOf(marks, 'T0', text).has('T0')).toBe(true);
  });
});
