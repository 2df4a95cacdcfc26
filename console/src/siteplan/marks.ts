/** Tags as they stand on a site plan: where, what they read, and where their labels have room. */

import { rank } from '@/alarms/grades';
import { latestReading, tagView, type TagView } from '@/alarms/tagStatus';
import type { Alarm, Tag } from '@/api/types';
import { tagPath, type LiveReading } from '@/live/readings';
import { arranged, widthOf, type Side } from '@/map/labels';
import { toScreen, type Point, type Size, type View } from '@/map/view';
import type { Places } from '@/siteplan/arranging';

/** Of a label: two lines. */
const HEIGHT = 40;
const LEAST_WIDTH = 96;
const MARGIN = 80;

export interface TagMark {
  name: string;
  at: Point;
  /** Null: the enterprise has no such tag any more, or its tags are not known yet. */
  tag: Tag | null;
  reading: LiveReading | undefined;
  view: TagView;
  /** The gravest alarm whose condition is in. */
  alarm: Alarm | null;
}

export interface Known {
  enterprise: string;
  tags: ReadonlyMap<string, Tag>;
  /** By tag, of this enterprise. */
  alarms: ReadonlyMap<string, readonly Alarm[]>;
  latest: ReadonlyMap<string, LiveReading>;
  now: number;
  current: boolean;
}

/** The image is a plane of width 1: its height is `ratio`. */
export function onPlane({ x, y }: Point, ratio: number): Point {
  return { x, y: y * ratio };
}

/** A point of the screen as fractions of the image. */
export function onImage(view: View, size: Size, ratio: number, { x, y }: Point): Point {
  return {
    x: (x - size.width / 2) / view.scale + view.x,
    y: ((y - size.height / 2) / view.scale + view.y) / ratio,
  };
}

export function alarmsByTag(alarms: Iterable<Alarm>, enterprise: string): Map<string, Alarm[]> {
  const found = new Map<string, Alarm[]>();
  for (const alarm of alarms) {
    if (alarm.enterprise === enterprise) found.set(alarm.tag, [...(found.get(alarm.tag) ?? []), alarm]);
  }
  return found;
}

/** The gravest last, so that it is drawn over the others. */
export function marksOf(places: Places, view: View, size: Size, ratio: number, known: Known): TagMark[] {
  const marks = [...places].flatMap(([name, place]): TagMark[] => {
    const at = toScreen(view, size, onPlane(place, ratio));
    if (at.x < -MARGIN || at.y < -MARGIN || at.x > size.width + MARGIN || at.y > size.height + MARGIN) return [];
    const tag = known.tags.get(name) ?? null;
    const live = known.latest.get(tagPath({ enterprise: known.enterprise, tag: name }));
    const alarms = known.alarms.get(name) ?? [];
    const reading = tag === null ? live : latestReading(tag, live);
    const state: TagView =
      tag === null ? { status: 'unknown', grade: null } : tagView(tag, reading, alarms, known.now, known.current);
    const alarm = alarms
      .filter(({ condition }) => condition)
      .reduce<Alarm | null>((worst, one) => (rank(one.grade) > rank(worst?.grade ?? null) ? one : worst), null);
    return [{ name, at, tag, reading, view: state, alarm }];
  });
  return marks.sort((a, b) => rank(a.view.grade) - rank(b.view.grade) || a.name.localeCompare(b.name));
}

/** Labels that have room; what is in alarm, or chosen, always has its own. `value`: what stands in the second line. */
export function sidesOf(marks: readonly TagMark[], chosen: string, value: (mark: TagMark) => string): Map<string, Side> {
  return arranged(
    marks.map((mark) => ({
      key: mark.name,
      at: mark.at,
      width: Math.max(LEAST_WIDTH, widthOf(mark.name), widthOf(value(mark))) + 14,
      height: HEIGHT,
      always: mark.view.grade !== null || mark.name === chosen,
      first: null,
    })),
  ).sides;
}
