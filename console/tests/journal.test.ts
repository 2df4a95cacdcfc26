import { describe, expect, it, vi } from 'vitest';
import { effectScope } from 'vue';

import { Problem } from '@/api/client';
import type { Entry, EntryPage } from '@/api/types';
import { ANYTHING, hasOwnTimes, partsOf, queryOf, requestOf, viewOf, without } from '@/journal/address';
import { useLooking, type Ask, type Looking } from '@/journal/looking';
import { sheetOf, COLUMNS } from '@/journal/sheet';
import { timesOf } from '@/journal/spans';
import { foundIn, wordsOf } from '@/search/searching';

// What the browser remembers; nothing is sent here.
vi.mock('@/preferences/preferences', () => ({ desk: { value: '' } }));
vi.mock('@/api/token', () => ({ token: () => null, dropToken: () => undefined }));

const at = (day: number, hour: number): number => new Date(2026, 5, day, hour, 30).getTime();
const full = (day: number, hour: number): number => new Date(2026, 5, day, hour).getTime();

describe('times by a word', () => {
  it('knows the shift by the clock', () => {
    expect(timesOf('shift', at(8, 10))).toEqual([full(8, 8), null]);
    expect(timesOf('shift', at(8, 21))).toEqual([full(8, 20), null]);
    expect(timesOf('shift', at(8, 3))).toEqual([full(7, 20), null]);
  });

  it('takes the last hour by its minutes', () => {
    expect(timesOf('hour', at(8, 10))).toEqual([at(8, 9), null]);
  });

  it('takes yesterday\'s night', () => {
    expect(timesOf('night', at(8, 10))).toEqual([full(7, 20), full(8, 8)]);
    expect(timesOf('night', at(8, 3))).toEqual([full(7, 20), null]);
    expect(timesOf('night', at(8, 22))).toEqual([full(7, 20), full(8, 8)]);
  });
});

describe('the address', () => {
  it('gives back what it was made of', () => {
    const view = { ...ANYTHING, text: '罐区 50%', span: 'night' as const, groups: ['alarms', 'acts'] as const, enterprise: 'huarui', unit: 'tankfarm', actor: '王芳', alarm: 7, incident: 9, kind: 'alarm.entered' };
    expect(viewOf(queryOf(view))).toEqual(view);
    const own = { ...ANYTHING, from: at(7, 1), to: at(8, 1) };
    expect(viewOf(queryOf(own))).toEqual(own);
    expect(queryOf(ANYTHING)).toEqual({});
    expect([own, { ...ANYTHING, to: at(8, 1) }, view].map(hasOwnTimes)).toEqual([true, true, false]);
  });

  it('leaves out what says nothing', () => {
    expect(viewOf({ span: 'x', from: 'y', groups: 'alarms,z,alarms', unit: 'tankfarm', alarm: '-1', incident: '0x1', text: ['\u0007a', 'b'] })).toEqual({
      ...ANYTHING, groups: ['alarms'], text: 'a',
    });
    expect(viewOf({ from: '2026-06-08T00:00:00Z', to: '2026-06-07T00:00:00Z' }).to).toBeNull();
  });

  it('asks the service by instants', () => {
    expect(requestOf({ ...ANYTHING, span: '24h', text: 'x' }, Date.UTC(2026, 5, 8))).toEqual({ text: 'x', since: '2026-06-07T00:00:00.000Z' });
  });

  it('has parts that are taken away by themselves', () => {
    const view = viewOf({ enterprise: 'a', unit: 'b', span: '7d', text: 'x' });
    expect(partsOf(view)).toEqual(['time', 'enterprise', 'unit', 'text']);
    expect(partsOf(without(view, 'enterprise'))).toEqual(['time', 'text']);
    expect(partsOf(without(without(view, 'time'), 'unit'))).toEqual(['enterprise', 'text']);
  });
});

const entry = (sequence: number): Entry => ({ sequence }) as Entry;
const page = (numbers: number[], next: string | null): EntryPage => ({ items: numbers.map(entry), next, looked: { entries: 10, back_to: '2026-06-08T00:00:00.000Z' } });

function looking(pages: (EntryPage | Problem)[]): { looking: Looking; asked: (string | null)[] } {
  const asked: (string | null)[] = [];
  const ask: Ask = (after) => {
    asked.push(after);
    const given = pages.shift() ?? page([], null);
    return given instanceof Problem ? Promise.reject(given) : Promise.resolve(given);
  };
  const found = effectScope().run(() => useLooking(() => ask));
  if (found === undefined) throw new Error('no scope');
  return { looking: found, asked };
}

describe('looking through the journal', () => {
  it('goes on by itself until something is found', async () => {
    const { looking: one, asked } = looking([page([], '90'), page([], '80'), page([75], '70'), page([60], null)]);
    await one.begin();
    expect(asked).toEqual([null, '90', '80']);
    expect(one.found.value).toMatchObject({ looked: 30, next: '70' });
    await one.further();
    expect(one.found.value?.items.map(({ sequence }) => sequence)).toEqual([75, 60]);
    expect(one.found.value?.next).toBeNull();
  });

  it('asks somebody after five answers without anything', async () => {
    const { looking: one, asked } = looking(Array.from({ length: 9 }, (_, n) => page([], String(90 - n))));
    await one.begin();
    expect(asked).toHaveLength(5);
    expect(one.busy.value).toBe(false);
  });

  it('keeps what it has when it fails, and goes on from there', async () => {
    const { looking: one, asked } = looking([page([9], '9'), new Problem(503, 'away', ''), page([8], null)]);
    await one.begin();
    await one.further();
    expect(one.failure.value?.status).toBe(503);
    expect(one.found.value?.items).toHaveLength(1);
    await one.further();
    expect([one.failure.value, one.found.value?.items.length, asked.at(-1)]).toEqual([null, 2, '9']);
  });

  it('takes no answer once it was stopped', async () => {
    const { looking: one } = looking([page([9], null)]);
    const begun = one.begin();
    one.stop();
    await begun;
    expect([one.found.value, one.busy.value]).toEqual([null, false]);
  });

  it('collects the rest for a file', async () => {
    const { looking: one } = looking([page([9], '9'), page([], '8'), page([7], null)]);
    await one.begin();
    expect((await one.collect()).map(({ sequence }) => sequence)).toEqual([9, 7]);
    expect(one.found.value?.items).toHaveLength(1);
  });
});

it('a sheet begins with its mark and has no formulas', () => {
  const row = { sequence: 1, at: '2026-06-08T00:00:00.000Z', kind: 'alarm.entered', what: '=cmd()', enterprise: '+a', unit: '-b', tag: '@c', alarm: 1, incident: null, who: '王,"芳"', hash: 'ab' };
  const sheet = sheetOf(COLUMNS, [row]);
  expect(sheet.startsWith('\uFEFFsequence,at,')).toBe(true);
  expect(sheet).toContain(`,'=cmd(),'+a,'-b,'@c,1,,"王,""芳""",ab\r\n`);
});

it('searches for words, and names what it found', () => {
  expect(wordsOf('  a\u0000b ')).toBe('a b');
  expect(wordsOf(['a'])).toBe('');
  const none = { items: [], more: false };
  const result = { incidents: none, alarms: none, units: none, tags: { items: [{}], more: false }, enterprises: none };
  expect(foundIn(result as never)).toEqual(['tags']);
});
