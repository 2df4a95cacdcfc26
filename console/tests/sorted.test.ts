import { describe, expect, it } from 'vitest';

import { compareAlarms } from '@/alarms/ordering';
import { Register } from '@/live/register';
import { SortedAlarms } from '@/live/sorted';
import type { Alarm, AlarmState, Grade } from '@/api/types';

import { alarm } from './samples';

const GRADES: readonly Grade[] = ['red', 'orange', 'yellow', 'blue'];
const STATES: readonly AlarmState[] = ['unacknowledged', 'acknowledged', 'returned_unacknowledged', 'normal'];

/** Numbers that look random and are the same each time. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
}

function pick<Item>(from: readonly Item[], random: (below: number) => number): Item {
  return from[random(from.length)] as Item;
}

describe('alarms kept in order', () => {
  it.each([1, 2, 3, 4, 5])('stand as if all were sorted again, whatever happens (%i)', (seed) => {
    const random = numbers(seed);
    const register = new Register();
    const sorted = new SortedAlarms();
    let sequence = 0;
    const next = (id: number): Alarm =>
      alarm({
        id,
        sequence: (sequence += 1),
        grade: pick(GRADES, random),
        state: pick(STATES, random),
        suppression: random(10) === 0 ? 'shelved' : null,
        drill: random(10) === 0 ? 1 : null,
        entered_at: `2026-06-08T02:30:${String(random(60)).padStart(2, '0')}.000Z`,
      });
    for (let look = 0; look < 60; look += 1) {
      if (random(12) === 0) register.replace(Array.from({ length: random(80) }, (_, id) => next(id)), []);
      else for (let change = random(look % 2 === 0 ? 4 : 60); change > 0; change -= 1) register.applyAlarm(next(random(80)));
      const all = [...register.alarms.values()].sort(compareAlarms);
      expect(sorted.of(register.alarms)).toEqual(all);
    }
  });

  it('are the same list while nothing changes', () => {
    const register = new Register();
    register.replace([alarm({ id: 1 }), alarm({ id: 2 })], []);
    const sorted = new SortedAlarms();
    expect(sorted.of(register.alarms)).toBe(sorted.of(register.alarms));
  });
});
