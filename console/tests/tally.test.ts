import { describe, expect, it } from 'vitest';

import { GRADES, gravest, rank } from '@/alarms/grades';
import { isUnacknowledged } from '@/alarms/states';
import type { Alarm, AlarmState, Grade, Incident, Level, Silence } from '@/api/types';
import { Register } from '@/live/register';
import { dueOf, isNew, NOTHING, subjectsOf, waitsForDesk } from '@/sound/due';
import { isSilenced } from '@/sound/silences';

import { alarm, incident } from './samples';

const STATES: readonly AlarmState[] = ['unacknowledged', 'acknowledged', 'returned_unacknowledged', 'normal'];
const LEVELS: readonly Level[] = ['HH', 'FAULT'];

type Random = (below: number) => number;

/** Numbers that look random and are the same each time. */
function numbers(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
}

function pick<Item>(from: readonly Item[], random: Random): Item {
  return from[random(from.length)] as Item;
}

/** Steps of a history: lists loaded, alarms and incidents changed. */
function* histories(seed: number): Generator<Register> {
  const random = numbers(seed);
  const register = new Register();
  let sequence = 0;
  const nextAlarm = (id: number): Alarm => {
    const of = random(6);
    return alarm({
      id,
      // Some come late.
      sequence: (sequence += 1) - (random(8) === 0 ? 40 : 0),
      grade: pick(GRADES, random),
      level: pick(LEVELS, random),
      state: pick(STATES, random),
      suppression: random(8) === 0 ? 'shelved' : null,
      first_out: random(5) === 0,
      region: `3707${random(3)}`,
      enterprise: `works${random(3)}`,
      unit: `unit${random(2)}`,
      measurand: pick(['h2s', 'co', 'level'], random),
      incident: of === 0 ? null : of,
      // A drill's incidents are its own.
      drill: of === 5 ? 1 : null,
    });
  };
  const nextIncident = (id: number): Incident =>
    incident({
      id,
      sequence: (sequence += 1),
      grade: pick(GRADES, random),
      drill: id === 5 ? 1 : null,
      missing_steps: random(2) === 0 ? ['desk_acknowledged'] : [],
      closed_at: random(4) === 0 ? '2026-06-08T03:00:00.000Z' : null,
    });
  for (let look = 0; look < 80; look += 1) {
    if (random(12) === 0) {
      register.replace(
        Array.from({ length: random(40) }, (_, id) => nextAlarm(id + 1)),
        Array.from({ length: random(5) }, (_, id) => nextIncident(id + 1)),
      );
    } else {
      for (let change = random(12); change > 0; change -= 1) {
        if (random(5) === 0) register.applyIncident(nextIncident(random(5) + 1));
        else register.applyAlarm(nextAlarm(random(40) + 1));
      }
    }
    yield register;
  }
}

function counted(values: readonly (string | null)[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const value of values) if (value !== null) found.set(value, (found.get(value) ?? 0) + 1);
  return found;
}

describe('counts kept as alarms come and go', () => {
  it.each([1, 2, 3, 4, 5])('are those of a plain recount (%i)', (seed) => {
    for (const register of histories(seed)) {
      const all = [...register.alarms.values()];
      const real = all.filter(({ drill }) => drill === null);
      const count = (some: readonly Alarm[]): { alarms: number; unacknowledged: number } => ({
        alarms: some.length,
        unacknowledged: some.filter(({ state }) => isUnacknowledged(state)).length,
      });
      for (const grade of GRADES) {
        expect(register.tally.grades[grade]).toEqual(count(real.filter((each) => each.grade === grade)));
      }
      expect(register.tally.real).toEqual(count(real));
      expect(register.tally.regions).toEqual(counted(all.map(({ region }) => region)));
      expect(register.tally.enterprises).toEqual(counted(all.map(({ enterprise }) => enterprise)));
      expect(register.tally.measurands).toEqual(counted(all.map(({ measurand }) => measurand)));
    }
  });
});

/** What sounds, by the rule and no other way: by its key, its grade and the alarms that are not acknowledged. */
function plain(register: Register, silences: readonly Silence[], desk: string): Map<string, { grade: Grade; ids: number[] }> {
  const found = new Map<string, { grade: Grade; ids: number[] }>();
  const add = (key: string, grade: Grade, ids: readonly number[]): void => {
    const known = found.get(key);
    found.set(key, { grade: gravest([grade, known?.grade ?? null]) ?? grade, ids: [...(known?.ids ?? []), ...ids].sort((a, b) => a - b) });
  };
  for (const each of register.alarms.values()) {
    const of = each.level === 'FAULT' ? null : register.gradeOf(each.incident);
    const grade = gravest([each.grade, of]) ?? each.grade;
    if (!isUnacknowledged(each.state) || isSilenced(silences, { alarm: each }, grade, desk)) continue;
    add(each.incident === null ? `alarm:${each.id}` : `incident:${each.incident}`, grade, [each.id]);
  }
  for (const each of register.incidents.values()) {
    if (waitsForDesk(each) && !isSilenced(silences, { incident: each }, each.grade, desk)) add(`incident:${each.id}`, each.grade, []);
  }
  return found;
}

describe('what sounds, kept as alarms come and go', () => {
  it.each([1, 2, 3, 4, 5])('is what a walk through all of them finds (%i)', (seed) => {
    const random = numbers(seed + 100);
    let silences: Silence[] = [];
    let before = NOTHING;
    let heard = new Set<string>();
    for (const register of histories(seed)) {
      if (random(4) === 0) {
        const scope = pick(['alarm', 'unit', 'desk'] as const, random);
        const target = { alarm: String(random(40) + 1), unit: `works${random(3)}/unit${random(2)}`, desk: 'here' }[scope];
        const times = { silenced_at: '', until: '', reason: '', name: '', ended_at: null, ended_by: null };
        silences = random(2) === 0 ? [] : [{ id: 1, scope, target, second: random(2) === 0 ? 'a second' : null, ...times }];
      }
      const subjects = subjectsOf(register, silences, 'here');
      const expected = plain(register, silences, 'here');
      const asPlain = subjects.map(({ key, grade, alarms }) => [key, { grade, ids: alarms.map(({ id }) => id).sort((a, b) => a - b) }] as const);
      expect(new Map(asPlain)).toEqual(expected);
      expect(subjects.map(({ count }) => count)).toEqual(subjects.map(({ alarms }) => alarms.length));
      const order = subjects.map(({ grade, drill }) => -10 * rank(grade) + Number(drill));
      expect(order).toEqual([...order].sort((a, b) => a - b));
      for (const { alarms } of subjects) {
        const weights = alarms.map(({ grade, first_out: first }) => -10 * rank(grade) - Number(first));
        expect(weights).toEqual([...weights].sort((a, b) => a - b));
      }
      const due = dueOf(subjects, false);
      const ids = new Set([...expected].flatMap(([key, { ids: of }]) => [key, ...of.map(String)]));
      const fresh = [...ids].some((id) => !heard.has(id));
      // What comes out of a silence may count as new once more; nothing new is ever missed.
      if (silences.length === 0 || fresh) expect(isNew(due, before)).toBe(fresh);
      [before, heard] = [due, ids];
    }
  });
});
