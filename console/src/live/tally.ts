/** How many alarms there are of each kind, counted as they come and go: nobody walks all of them to draw a number. No Vue. */

import { isUnacknowledged } from '@/alarms/states';
import type { Alarm, Grade } from '@/api/types';

export interface Count {
  /** Alarms that have the grade by themselves. */
  alarms: number;
  unacknowledged: number;
}

type Many = Map<string, number>;

function step(many: Many, key: string | null, by: number): void {
  if (key === null) return;
  const count = (many.get(key) ?? 0) + by;
  if (count === 0) many.delete(key);
  else many.set(key, count);
}

function none(): Count {
  return { alarms: 0, unacknowledged: 0 };
}

export class Tally {
  /** Without drills. */
  readonly grades: Readonly<Record<Grade, Count>> = { red: none(), orange: none(), yellow: none(), blue: none() };
  /** What those that are in are of, drills too. */
  readonly regions: ReadonlyMap<string, number>;
  readonly enterprises: ReadonlyMap<string, number>;
  readonly measurands: ReadonlyMap<string, number>;
  private readonly byRegion: Many = new Map();
  private readonly byEnterprise: Many = new Map();
  private readonly byMeasurand: Many = new Map();

  constructor() {
    this.regions = this.byRegion;
    this.enterprises = this.byEnterprise;
    this.measurands = this.byMeasurand;
  }

  /** All, without drills. */
  get real(): Count {
    const { red, orange, yellow, blue } = this.grades;
    return {
      alarms: red.alarms + orange.alarms + yellow.alarms + blue.alarms,
      unacknowledged: red.unacknowledged + orange.unacknowledged + yellow.unacknowledged + blue.unacknowledged,
    };
  }

  /** An alarm became another record of itself; undefined: it was not, or is no longer, annunciated. */
  change(before: Alarm | undefined, after: Alarm | undefined): void {
    if (before !== undefined) this.count(before, -1);
    if (after !== undefined) this.count(after, 1);
  }

  private count(alarm: Alarm, by: number): void {
    step(this.byRegion, alarm.region, by);
    step(this.byEnterprise, alarm.enterprise, by);
    step(this.byMeasurand, alarm.measurand, by);
    if (alarm.drill !== null) return;
    const count = this.grades[alarm.grade];
    count.alarms += by;
    if (isUnacknowledged(alarm.state)) count.unacknowledged += by;
  }
}
