/** Arranging tags on a site plan: a draft of their places, each step of which can be taken back, until it is saved. */

import { computed, shallowRef, type ComputedRef, type ShallowRef } from 'vue';

import type { SitePlan } from '@/api/types';
import type { Point } from '@/map/view';

/** Fractions of the image's width and height, by tag. */
export type Places = ReadonlyMap<string, Point>;

export interface Changes {
  place: { tag: string; x: number; y: number }[];
  remove: string[];
}

/** Decimals that are kept of a fraction: a twentieth of a pixel of the largest image. */
const DIGITS = 5;
const MOST_STEPS = 200;
/** Of the arrow keys, pixels of the screen. */
const STEP = 1;
const LARGE_STEP = 20;

export function placesOf(plan: Pick<SitePlan, 'tags'>): Places {
  return new Map(plan.tags.map(({ tag, x, y }) => [tag, { x, y }]));
}

/** Within the image. */
export function within({ x, y }: Point): Point {
  const clamped = (value: number): number => Number(Math.min(1, Math.max(0, value)).toFixed(DIGITS));
  return { x: clamped(x), y: clamped(y) };
}

export function changesOf(before: Places, after: Places): Changes {
  const place = [...after].flatMap(([tag, { x, y }]) => {
    const known = before.get(tag);
    return known?.x === x && known.y === y ? [] : [{ tag, x, y }];
  });
  return { place, remove: [...before.keys()].filter((tag) => !after.has(tag)) };
}

/** By how many pixels a key moves a tag; null: it does not. */
export function nudge(key: string, large: boolean): Point | null {
  const step = large ? LARGE_STEP : STEP;
  switch (key) {
    case 'ArrowLeft':
      return { x: -step, y: 0 };
    case 'ArrowRight':
      return { x: step, y: 0 };
    case 'ArrowUp':
      return { x: 0, y: -step };
    case 'ArrowDown':
      return { x: 0, y: step };
    default:
      return null;
  }
}

export class Arranging {
  readonly places: ShallowRef<Places>;
  readonly changes: ComputedRef<Changes>;
  readonly count: ComputedRef<number>;
  readonly canUndo: ComputedRef<boolean>;
  private readonly steps: ShallowRef<readonly Places[]> = shallowRef([]);
  /** What the last step did: moving the same tag on is no step of its own. */
  private moving = '';

  constructor(readonly plan: SitePlan) {
    const before = placesOf(plan);
    this.places = shallowRef(before);
    this.changes = computed(() => changesOf(before, this.places.value));
    this.count = computed(() => this.changes.value.place.length + this.changes.value.remove.length);
    this.canUndo = computed(() => this.steps.value.length > 0);
  }

  /** `gesture`: names what belongs together, such as one drag; all of it is one step. */
  place(tag: string, at: Point, gesture = ''): void {
    this.take(new Map([...this.places.value, [tag, within(at)]]), gesture);
  }

  remove(tag: string): void {
    if (!this.places.value.has(tag)) return;
    this.take(new Map([...this.places.value].filter(([name]) => name !== tag)), '');
  }

  undo(): void {
    const last = this.steps.value.at(-1);
    if (last === undefined) return;
    this.places.value = last;
    this.steps.value = this.steps.value.slice(0, -1);
    this.moving = '';
  }

  private take(next: Places, gesture: string): void {
    if (gesture === '' || gesture !== this.moving) {
      this.steps.value = [...this.steps.value, this.places.value].slice(-MOST_STEPS);
    }
    this.moving = gesture;
    this.places.value = next;
  }
}
