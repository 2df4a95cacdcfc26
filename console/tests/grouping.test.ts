import { describe, expect, it } from 'vitest';

import { arrange, standsAlone, type Line } from '@/alarms/grouping';
import type { Alarm, Grade } from '@/api/types';

import { alarm } from './samples';

const LINK = 'huarui/@gw1/LINK';
const NONE = new Set<string>();
const noIncident = (): Grade | null => null;

function told(lines: readonly Line[]): string[] {
  return lines.map((line) =>
    line.kind === 'alarm' ? `${line.within ? '  ' : ''}${line.alarm.tag}` : `${line.of} ${line.head.tag} ${line.members.length}`,
  );
}

function silent(id: number): Alarm {
  return alarm({ id, tag: `TI-${id}`, rule: 'STALE', kind: 'stale', level: 'FAULT', grade: 'blue', cause: LINK });
}

const link = alarm({ id: 100, tag: '@gw1', rule: 'LINK', kind: 'system', level: 'FAULT', grade: 'blue', unit: 'gateways' });

describe('what follows from a cause', () => {
  it('is one line under it, with the count, and opens', () => {
    const alarms = [silent(1), link, silent(2), alarm({ id: 7, tag: 'GT-7' })];
    expect(told(arrange(alarms, noIncident, false, NONE))).toEqual(['cause @gw1 3', 'GT-7']);
    const lines = arrange(alarms, noIncident, false, new Set(['cause:huarui/@gw1/LINK']));
    expect(told(lines)).toEqual(['cause @gw1 3', '  TI-1', '  @gw1', '  TI-2', 'GT-7']);
  });

  it('is one line too where the cause is not in the list', () => {
    expect(told(arrange([silent(1), silent(2)], noIncident, false, NONE))).toEqual(['cause TI-1 2']);
  });

  it('is no line of its own when it is alone', () => {
    expect(told(arrange([link], noIncident, false, NONE))).toEqual(['@gw1']);
  });

  it('never hides orange or red', () => {
    const grave = alarm({ ...silent(3), grade: 'orange' });
    expect(told(arrange([grave, silent(1), link], noIncident, false, NONE))).toEqual(['TI-3', 'cause @gw1 2']);
  });

  it('does not mix a drill with what is real', () => {
    const drill = alarm({ ...silent(4), drill: 9, cause: 'drill:9:huarui/@gw1/LINK' });
    expect(told(arrange([link, silent(1), drill], noIncident, false, NONE))).toEqual(['cause @gw1 2', 'TI-4']);
  });
});

describe('a flood', () => {
  const orange = (): Grade => 'orange';

  it('has orange and red alone on top, and one line per unit below', () => {
    const alarms = [
      alarm({ id: 1, tag: 'TI-1', unit: 'a', grade: 'blue', entered_at: '2026-06-08T02:30:05.000Z' }),
      alarm({ id: 2, tag: 'TI-2', unit: 'a', grade: 'blue', first_out: true }),
      alarm({ id: 3, tag: 'TI-3', unit: 'b', grade: 'blue' }),
      alarm({ id: 4, tag: 'GT-4', unit: 'c', grade: 'red', state: 'acknowledged' }),
      silent(5),
      silent(6),
      link,
    ];
    expect(told(arrange(alarms, noIncident, true, NONE))).toEqual(['GT-4', 'process TI-2 2', 'TI-3', 'cause @gw1 3']);
  });

  it('drops nothing', () => {
    const alarms = Array.from({ length: 40 }, (_, id) => alarm({ id, unit: `u${id % 3}`, kind: id % 2 ? 'bad' : 'high' }));
    const seen = arrange(alarms, noIncident, true, NONE).flatMap((line) =>
      line.kind === 'group' ? line.members.map((each) => each.id) : [line.alarm.id],
    );
    expect(seen.sort((a, b) => a - b)).toEqual(alarms.map((each) => each.id));
  });

  it('tells instruments apart from the process', () => {
    const alarms = [alarm({ id: 1 }), alarm({ id: 2 }), alarm({ id: 3, kind: 'bad' }), alarm({ id: 4, kind: 'bad' })];
    expect(arrange(alarms, noIncident, true, NONE).map((line) => line.kind === 'group' && line.of)).toEqual([
      'process',
      'instrument',
    ]);
  });

  it('stands by the incident, but not for an instrument of it', () => {
    expect(standsAlone(alarm({ grade: 'blue' }), orange)).toBe(true);
    expect(standsAlone(alarm({ grade: 'blue', kind: 'bad' }), orange)).toBe(false);
    expect(standsAlone(silent(1), orange)).toBe(false);
    expect(standsAlone(alarm({ grade: 'orange', kind: 'bad' }), noIncident)).toBe(true);
  });
});
