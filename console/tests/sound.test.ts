import { describe, expect, it } from 'vitest';

import { Register } from '@/live/register';
import { dueOf, subjectsOf, targetsOf, type Subject } from '@/sound/due';
import { Herald, REPEAT_MS, voiceFor } from '@/sound/herald';
import { LEAST_VOLUME, PERIOD_MS, TONES, lengthOf, patternOf, volumeOf } from '@/sound/patterns';
import { followed, inForce, isSilenced } from '@/sound/silences';
import type { Alarm, Incident, Silence } from '@/api/types';

import { alarm, entry, incident } from './samples';

const NOW = Date.parse('2026-06-08T02:30:00Z');

function silence(change: Partial<Silence> = {}): Silence {
  return {
    id: 7,
    scope: 'unit',
    target: 'huarui/tankfarm',
    silenced_at: '2026-06-08T02:29:00.000Z',
    until: '2026-06-08T02:33:00.000Z',
    reason: 'on it',
    name: '王芳',
    second: null,
    ended_at: null,
    ended_by: null,
    ...change,
  };
}

function registerOf(alarms: readonly Alarm[], incidents: readonly Incident[] = []): Register {
  const register = new Register();
  register.replace(alarms, incidents);
  return register;
}

function sounding(alarms: readonly Alarm[], incidents: readonly Incident[] = [], silences: readonly Silence[] = [], desk = ''): Subject[] {
  return subjectsOf(registerOf(alarms, incidents), silences, desk);
}

describe('what sounds', () => {
  it('is what nobody has acknowledged, be it in or not, and nothing else', () => {
    expect(sounding([alarm({ incident: null })]).map(({ key }) => key)).toEqual(['alarm:1']);
    expect(sounding([alarm({ state: 'returned_unacknowledged', condition: false })])).toHaveLength(1);
    expect(sounding([alarm({ state: 'latched_unacknowledged' })])).toHaveLength(1);
    expect(sounding([alarm({ state: 'acknowledged' })])).toEqual([]);
    expect(sounding([alarm({ state: 'latched_acknowledged' })])).toEqual([]);
    expect(sounding([alarm({ suppression: 'shelved' })])).toEqual([]);
  });

  it('counts a process alarm as its incident, and an instrument’s fault as itself', () => {
    const red = incident({ grade: 'red' });
    expect(sounding([alarm({ grade: 'yellow' })], [red])[0]?.grade).toBe('red');
    expect(sounding([alarm({ grade: 'blue', level: 'FAULT' })], [red])[0]?.grade).toBe('blue');
  });

  it('is an incident that the desk has to acknowledge, be all its alarms acknowledged', () => {
    const waiting = incident({ id: 3, grade: 'red', missing_steps: ['desk_acknowledged', 'verified'] });
    const [subject] = sounding([alarm({ incident: 3, state: 'acknowledged' })], [waiting]);
    expect(subject).toMatchObject({ key: 'incident:3', grade: 'red', alarms: [], incident: { id: 3 } });
    expect(sounding([], [incident({ missing_steps: ['verified'] })])).toEqual([]);
  });

  it('is one matter for all alarms of an incident, gravest and first-out first', () => {
    const [subject, ...others] = sounding([
      alarm({ id: 1, grade: 'yellow' }),
      alarm({ id: 2, grade: 'orange' }),
      alarm({ id: 3, grade: 'orange', first_out: true }),
    ]);
    expect(others).toEqual([]);
    expect(subject?.alarms.map(({ id }) => id)).toEqual([3, 2, 1]);
    expect(subject?.grade).toBe('orange');
  });

  it('puts the real before a drill of the same grade', () => {
    const found = sounding([
      alarm({ id: 1, incident: null, grade: 'orange', drill: 4 }),
      alarm({ id: 2, incident: null, grade: 'orange' }),
      alarm({ id: 3, incident: null, grade: 'red', drill: 4 }),
    ]);
    expect(found.map(({ key }) => key)).toEqual(['alarm:3', 'alarm:2', 'alarm:1']);
  });
});

describe('what is due', () => {
  const of = (...alarms: Alarm[]): Subject[] => sounding(alarms.map((each, index) => ({ ...each, id: index, incident: null })));

  it('is the gravest grade', () => {
    expect(dueOf(of(alarm({ grade: 'blue' }), alarm({ grade: 'orange' }), alarm({ grade: 'yellow' })), false).parts).toEqual([
      { tone: 'orange', drill: false },
    ]);
    expect(dueOf([], false).parts).toEqual([]);
  });

  it('lets what is real take turns with a graver drill, and leaves out a drill that is not', () => {
    const real = alarm({ grade: 'yellow' });
    expect(dueOf(of(real, alarm({ grade: 'red', drill: 1 })), false).parts).toEqual([
      { tone: 'yellow', drill: false },
      { tone: 'red', drill: true },
    ]);
    expect(dueOf(of(real, alarm({ grade: 'yellow', drill: 1 })), false).parts).toEqual([{ tone: 'yellow', drill: false }]);
    expect(dueOf(of(alarm({ grade: 'red', drill: 1 })), false).parts).toEqual([{ tone: 'red', drill: true }]);
  });

  it('takes turns with the loss of the service', () => {
    expect(dueOf([], true).parts).toEqual([{ tone: 'lost', drill: false }]);
    const both = dueOf(of(alarm({ grade: 'red' })), true);
    expect(both.parts.map(({ tone }) => tone)).toEqual(['lost', 'red']);
    expect([...both.keys]).toEqual(['alarm:0', 'lost']);
  });
});

describe('silences', () => {
  const one = alarm();

  it('cover an alarm, a unit, or the desk at which the console stands', () => {
    expect(isSilenced([silence({ scope: 'alarm', target: '1' })], { alarm: one }, 'yellow', '')).toBe(true);
    expect(isSilenced([silence({ scope: 'alarm', target: '2' })], { alarm: one }, 'yellow', '')).toBe(false);
    expect(isSilenced([silence()], { alarm: one }, 'yellow', '')).toBe(true);
    expect(isSilenced([silence()], { incident: incident() }, 'orange', '')).toBe(true);
    expect(isSilenced([silence({ target: 'huarui/other' })], { alarm: one }, 'yellow', '')).toBe(false);
    const desk = silence({ scope: 'desk', target: '370783' });
    expect(isSilenced([desk], { alarm: one }, 'yellow', '370783')).toBe(true);
    expect(isSilenced([desk], { alarm: one }, 'yellow', '370700')).toBe(false);
    expect(isSilenced([desk], { alarm: one }, 'yellow', '')).toBe(false);
  });

  it('never cover red by the act of one person', () => {
    expect(isSilenced([silence()], { alarm: one }, 'red', '')).toBe(false);
    expect(isSilenced([silence({ second: '李敏' })], { alarm: one }, 'red', '')).toBe(true);
  });

  it('end by themselves', () => {
    expect(inForce([silence()], NOW)).toHaveLength(1);
    expect(inForce([silence()], NOW + 180_000)).toEqual([]);
  });

  it('follow the journal', () => {
    const data = { silence: 9, scope: 'unit', target: 'huarui/tankfarm', name: '王芳', second: null, reason: 'on it', until: NOW + 60_000 };
    const known = followed([], entry({ kind: 'sound.silenced', data }));
    expect(known).toMatchObject([{ id: 9, target: 'huarui/tankfarm', until: '2026-06-08T02:31:00.000Z', name: '王芳' }]);
    expect(followed(known, entry({ kind: 'sound.resumed', data: { silence: 9, why: 'expired' } }))).toEqual([]);
    expect(followed(known, entry())).toBe(known);
    expect(followed(known, entry({ kind: 'sound.silenced', data: { scope: 'planet', silence: 1, until: 2 } }))).toBe(known);
  });

  it('are asked for as narrowly as what sounds allows', () => {
    expect(targetsOf(sounding([alarm({ incident: null })]))).toEqual([{ scope: 'alarm', target: '1' }]);
    expect(targetsOf(sounding([alarm({ id: 1 }), alarm({ id: 2 })]))).toEqual([{ scope: 'unit', target: 'huarui/tankfarm' }]);
    const waiting = incident({ missing_steps: ['desk_acknowledged'] });
    expect(targetsOf(sounding([alarm()], [waiting]))).toEqual([{ scope: 'unit', target: 'huarui/tankfarm' }]);
    expect(targetsOf(sounding([alarm({ id: 1, incident: null }), alarm({ id: 2, incident: null, unit: 'boiler' })]))).toHaveLength(2);
  });
});

describe('patterns', () => {
  it('end well before they are repeated, and are denser and louder the graver they are', () => {
    for (const tone of TONES) expect(lengthOf(patternOf(tone, true)), tone).toBeLessThan(PERIOD_MS[tone]);
    const grades = ['blue', 'yellow', 'orange', 'red'] as const;
    const loudest = grades.map((grade) => Math.max(...patternOf(grade).map(({ gain }) => gain)));
    expect(loudest).toEqual([...loudest].sort());
    const density = grades.map((grade) => patternOf(grade).length / PERIOD_MS[grade]);
    expect(density).toEqual([...density].sort((a, b) => a - b));
  });

  it('of a drill begin with knocks', () => {
    expect(patternOf('red', true).length).toBe(patternOf('red').length + 2);
  });

  it('have a volume that can be heard', () => {
    expect([0, 0.5, 7, NaN].map(volumeOf)).toEqual([LEAST_VOLUME, 0.5, 1, 0.8]);
  });
});

describe('what is said', () => {
  const orange = { ...alarm({ grade: 'orange' }), id: 1, incident: null };
  const red = { ...alarm({ grade: 'red' }), id: 2, incident: null };
  const yellow = { ...alarm({ grade: 'yellow' }), id: 3, incident: null };

  it('is orange and red, each once, then the gravest again and again', () => {
    const herald = new Herald();
    const subjects = sounding([orange, red, yellow]);
    const said: (string | null)[] = [];
    const at = (now: number): void => {
      const next = herald.next(subjects, now);
      said.push(next?.key ?? null);
      if (next !== null) herald.note(next, now);
    };
    for (const now of [0, 3_000, 6_000, REPEAT_MS.red ?? 0, 22_000]) at(now);
    expect(said).toEqual(['alarm:2', 'alarm:1', null, 'alarm:2', null]);
    expect(herald.next(sounding([yellow]), 90_000)).toBeNull();
  });

  it('is said anew when it has turned graver, or has come again', () => {
    const herald = new Herald();
    const [before] = sounding([orange]);
    if (before === undefined) throw new Error('nothing sounds');
    herald.note(before, 0);
    expect(herald.next(sounding([orange]), 1_000)).toBeNull();
    expect(herald.next(sounding([{ ...orange, grade: 'red' }]), 1_000)?.grade).toBe('red');
    expect(herald.next([], 2_000)).toBeNull();
    expect(herald.next(sounding([orange]), 3_000)?.grade).toBe('orange');
  });

  it('is said again where it could not be', () => {
    const herald = new Herald();
    expect(herald.next(sounding([orange]), 0)?.key).toBe('alarm:1');
    expect(herald.next(sounding([orange]), 0)?.key).toBe('alarm:1');
  });

  it('is spoken only by a voice of this machine, in the console’s language', () => {
    const voices = [
      { lang: 'zh-CN', localService: false },
      { lang: 'zh-HK', localService: true },
      { lang: 'en-US', localService: true },
      { lang: 'cmn', localService: true },
    ];
    expect(voiceFor(voices, 'zh-CN')?.lang).toBe('cmn');
    expect(voiceFor(voices, 'en')?.lang).toBe('en-US');
    expect(voiceFor(voices.slice(0, 2), 'zh-CN')).toBeNull();
    expect(voiceFor([], 'en')).toBeNull();
  });
});
