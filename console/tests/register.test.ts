import { describe, expect, it } from 'vitest';

import type { Grade } from '@/api/types';
import { CatchUp } from '@/live/catchup';
import { Register, together } from '@/live/register';

import { alarm, entry, incident } from './samples';

describe('register', () => {
  it('keeps the newer of two records, in whichever order they come', () => {
    const register = new Register();
    register.applyAlarm(alarm({ sequence: 5, state: 'acknowledged' }));
    register.applyAlarm(alarm({ sequence: 4, state: 'unacknowledged' }));
    expect(register.alarms.get(1)?.state).toBe('acknowledged');
    register.applyIncident(incident({ sequence: 9, grade: 'red' }));
    register.applyIncident(incident({ sequence: 8, grade: 'blue' }));
    expect(register.incidents.get(1)?.grade).toBe('red');
  });

  it('lets go of an alarm that is normal again, but remembers it for rows on screen', () => {
    const register = new Register();
    register.applyAlarm(alarm());
    register.applyAlarm(alarm({ sequence: 2, state: 'normal', condition: false }));
    expect(register.alarms.size).toBe(0);
    expect(register.alarm(1)?.state).toBe('normal');
    register.applyAlarm(alarm({ sequence: 1 }));
    expect(register.alarms.size).toBe(0);
    register.applyAlarm(alarm({ sequence: 3 }));
    expect(register.alarms.size).toBe(1);
  });

  it('keeps what is suppressed apart, and lets it come back', () => {
    const register = new Register();
    register.applyAlarm(alarm());
    register.applyAlarm(alarm({ sequence: 2, suppression: 'shelved' }));
    expect([register.alarms.size, register.suppressed.size]).toEqual([0, 1]);
    expect(register.alarm(1)?.suppression).toBe('shelved');
    register.applyAlarm(alarm({ sequence: 1 }));
    expect(register.alarms.size).toBe(0);
    register.applyAlarm(alarm({ sequence: 3 }));
    expect([register.alarms.size, register.suppressed.size]).toEqual([1, 0]);
    register.applyAlarm(alarm({ sequence: 4, suppression: 'out_of_service' }));
    register.applyAlarm(alarm({ sequence: 5, state: 'normal', suppression: 'out_of_service' }));
    expect([register.alarms.size, register.suppressed.size]).toEqual([0, 0]);
  });

  it('does not call a suppressed alarm returned when lists are loaded again', () => {
    const register = new Register();
    register.replace([alarm({ id: 1 }), alarm({ id: 2 })], []);
    const missed = register.replace([alarm({ id: 2, suppression: 'by_design' })], []);
    expect(missed).toEqual({ alarms: 0, returned: 1, incidents: 0, grade: null });
    expect([...register.suppressed.keys()]).toEqual([2]);
  });

  it('remembers no more than it needs', () => {
    const register = new Register();
    for (let id = 1; id <= 600; id += 1) register.applyAlarm(alarm({ id, state: 'normal' }));
    expect(register.alarm(1)).toBeUndefined();
    expect(register.alarm(600)).toBeDefined();
  });

  it('drops closed incidents', () => {
    const register = new Register();
    register.applyIncident(incident());
    register.applyIncident(incident({ sequence: 2, state: 'closed', closed_at: '2026-06-08T03:00:00.000Z' }));
    expect(register.incidents.size).toBe(0);
  });

  it('says what is new when lists are loaded again', () => {
    const register = new Register();
    register.replace([alarm({ id: 1 }), alarm({ id: 2 })], [incident({ id: 1 })]);
    const missed = register.replace(
      [alarm({ id: 2 }), alarm({ id: 3, grade: 'red' }), alarm({ id: 4, state: 'normal' })],
      [incident({ id: 1 }), incident({ id: 2 })],
    );
    expect(missed).toEqual({ alarms: 1, returned: 1, incidents: 1, grade: 'red' });
  });

  it('says how grave an incident has become meanwhile, new or not', () => {
    const register = new Register();
    register.replace([alarm({ id: 1, grade: 'blue' })], [incident({ id: 1, grade: 'yellow' }), incident({ id: 2, grade: 'red' })]);
    const missed = register.replace(
      [alarm({ id: 1, grade: 'blue' }), alarm({ id: 3, grade: 'blue' })],
      [incident({ id: 1, grade: 'orange' }), incident({ id: 2, grade: 'red' })],
    );
    expect(missed).toEqual({ alarms: 1, returned: 0, incidents: 0, grade: 'orange' });
  });
});

describe('catching up', () => {
  it('counts what was missed until the present is reached', () => {
    const catchUp = new CatchUp(12);
    const of = (sequence: number, kind: string) => ({
      type: 'entry' as const,
      sequence,
      entry: entry({ sequence, kind }),
      alarm: alarm({ grade: 'orange' }),
      incident: null,
    });
    expect(catchUp.count(of(10, 'alarm.entered'))).toBe(true);
    expect(catchUp.reached(10)).toBe(false);
    catchUp.count(of(11, 'incident.opened'));
    catchUp.count(of(12, 'alarm.returned'));
    expect(catchUp.reached(12)).toBe(true);
    expect(catchUp.count(of(13, 'alarm.entered'))).toBe(false);
    expect(catchUp.missed).toEqual({ alarms: 1, returned: 1, incidents: 1, grade: 'orange' });
  });

  it('tells the grade of an incident that is graver than its alarms, or has become so', () => {
    const of = (sequence: number, kind: string, grade: Grade) => ({
      type: 'entry' as const,
      sequence,
      entry: entry({ sequence, kind }),
      alarm: kind === 'alarm.entered' ? alarm({ grade }) : null,
      incident: kind.startsWith('incident.') ? incident({ grade }) : null,
    });
    const catchUp = new CatchUp(12);
    catchUp.count(of(10, 'alarm.entered', 'yellow'));
    catchUp.count(of(11, 'incident.acknowledged', 'red'));
    expect(catchUp.missed.grade).toBe('yellow');
    catchUp.count(of(12, 'incident.graded', 'red'));
    expect(catchUp.missed).toEqual({ alarms: 1, returned: 0, incidents: 0, grade: 'red' });
  });

  it('adds up outages that nobody has read of yet', () => {
    const one = { alarms: 3, returned: 1, incidents: 0, grade: 'red' as const };
    expect(together(null, one)).toEqual(one);
    expect(together(one, { alarms: 0, returned: 0, incidents: 2, grade: null })).toEqual({ ...one, incidents: 2 });
  });
});
