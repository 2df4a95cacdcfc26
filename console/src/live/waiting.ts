/**
 * The alarms that nobody has acknowledged, by the matter that they belong to: an incident, or each one that has none by
 * itself. Kept as they come and go, so that what has to sound is known without walking thousands of them. No Vue.
 */

import { GRADES, gravest, rank } from '@/alarms/grades';
import { isUnacknowledged } from '@/alarms/states';
import type { Alarm, Grade } from '@/api/types';

export class Matter {
  private readonly joined = new Map<number, { alarm: Alarm; serial: number }>();
  private readonly grades: Record<Grade, number> = { red: 0, orange: 0, yellow: 0, blue: 0 };
  private ofProcess = 0;
  private real = 0;
  private last = 0;

  get size(): number {
    return this.joined.size;
  }

  /** Serial of the alarm that joined last, be it still in or not. */
  get newest(): number {
    return this.last;
  }

  /** All of it. */
  get drill(): boolean {
    return this.real === 0;
  }

  /** A process alarm counts as much as its incident; an instrument's fault says nothing of the process. */
  grade(incident: Grade | null): Grade | null {
    return gravest([GRADES.find((grade) => this.grades[grade] > 0) ?? null, this.ofProcess > 0 ? incident : null]);
  }

  /** Gravest first, of equal ones the first-out. */
  byWeight(): Alarm[] {
    return [...this.joined.values()].map(({ alarm }) => alarm).sort(byWeight);
  }

  /** Those of them that `passes` lets through. */
  only(passes: (alarm: Alarm) => boolean): Matter {
    const found = new Matter();
    for (const { alarm, serial } of this.joined.values()) if (passes(alarm)) found.put(alarm, serial);
    return found;
  }

  /** `serial`: of its joining, unless it is in already. */
  put(alarm: Alarm, serial: number): void {
    const known = this.joined.get(alarm.id);
    if (known !== undefined) this.count(known.alarm, -1);
    this.joined.set(alarm.id, { alarm, serial: known?.serial ?? serial });
    if (known === undefined) this.last = Math.max(this.last, serial);
    this.count(alarm, 1);
  }

  drop(id: number): void {
    const known = this.joined.get(id);
    if (known === undefined) return;
    this.joined.delete(id);
    this.count(known.alarm, -1);
  }

  private count({ grade, level, drill }: Alarm, by: number): void {
    this.grades[grade] += by;
    if (level !== 'FAULT') this.ofProcess += by;
    if (drill === null) this.real += by;
  }
}

function byWeight(a: Alarm, b: Alarm): number {
  return rank(b.grade) - rank(a.grade) || Number(b.first_out) - Number(a.first_out) || a.id - b.id;
}

/** An incident's, or the negative number of an alarm that has none: neither is ever 0. */
function keyOf(alarm: Alarm): number {
  return alarm.incident ?? -alarm.id;
}

export class Waiting {
  /** By the incident's number, or the negative one of an alarm that has none, in the order in which they came. */
  readonly matters: ReadonlyMap<number, Matter>;
  private readonly all = new Map<number, Matter>();
  private serial = 0;

  constructor() {
    this.matters = this.all;
  }

  /** An alarm became another record of itself; undefined: it was not, or is no longer, annunciated. */
  change(before: Alarm | undefined, after: Alarm | undefined): void {
    const was = before !== undefined && isUnacknowledged(before.state) ? before : undefined;
    const is = after !== undefined && isUnacknowledged(after.state) ? after : undefined;
    if (was !== undefined && (is === undefined || keyOf(is) !== keyOf(was))) this.leave(was);
    if (is === undefined) return;
    const key = keyOf(is);
    let matter = this.all.get(key);
    if (matter === undefined) this.all.set(key, (matter = new Matter()));
    matter.put(is, was === undefined ? (this.serial += 1) : this.serial);
  }

  private leave(alarm: Alarm): void {
    const key = keyOf(alarm);
    const matter = this.all.get(key);
    matter?.drop(alarm.id);
    if (matter?.size === 0) this.all.delete(key);
  }
}
