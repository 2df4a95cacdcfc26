import { describe, expect, it } from 'vitest';
import { nextTick, ref } from 'vue';

import { useShowing } from '@/components/showing';
import type { ConfigItem, Health } from '@/api/types';
import { countsOf, isEmpty, ownReason, patchLines, sortedItems, valueText } from '@/configuration/difference';
import { isTold, numbered } from '@/configuration/files';
import { partsOf } from '@/configuration/health';

describe('a difference', () => {
  it('has its lines with numbers on both sides', () => {
    const lines = patchLines('@@ -29,3 +29,4 @@\n a\n-b\n+c\n+d\n e\n@@ -0,0 +1,1 @@\n+new\n');
    expect(lines.map(({ kind, before, after, text }) => [kind, before, after, text])).toEqual([
      ['gap', null, null, '@@ -29,3 +29,4 @@'],
      ['same', 29, 29, 'a'],
      ['removed', 30, null, 'b'],
      ['added', null, 30, 'c'],
      ['added', null, 31, 'd'],
      ['same', 31, 32, 'e'],
      ['gap', null, null, '@@ -0,0 +1,1 @@'],
      ['added', null, 1, 'new'],
    ]);
    expect(patchLines('')).toEqual([]);
  });

  it('shows values as people write them', () => {
    expect(valueText('on_delay', 5000)).toBe('5 s');
    expect(valueText('setpoint', 22)).toBe('22');
    expect(valueText('latching', true)).toBe('true');
    expect(valueText('cards', ['h2s', 'co'])).toBe('h2s, co');
    expect(valueText('wind', { speed: 'WS-1' })).toBe('{"speed":"WS-1"}');
    expect([null, undefined, ''].map((value) => valueText('x', value))).toEqual(['', '', '']);
  });

  it('is counted, and shows first what is taken away', () => {
    expect(countsOf({ tag: { changed: 2, added: 1 }, rule: { removed: 0 } })).toEqual([
      { what: 'tag', act: 'added', n: 1 },
      { what: 'tag', act: 'changed', n: 2 },
    ]);
    const item = (act: ConfigItem['act']): ConfigItem => ({ what: 'tag', path: act, act, fields: [] });
    expect(sortedItems([item('added'), item('changed'), item('removed')]).map(({ act }) => act)).toEqual(['removed', 'changed', 'added']);
    expect(isEmpty({ counts: {}, items: [], more: 0, documents: [] })).toBe(true);
    expect(isEmpty({ counts: {}, items: [], more: 0, documents: [{ name: 'a', act: 'changed', patch: '' }] })).toBe(false);
  });

  it('knows the reasons that the service gives by itself', () => {
    expect(ownReason({ source: 'files', author: 'files', reason: 'first start' })).toBe('firstStart');
    expect(ownReason({ source: 'files', author: 'files', reason: 'the files have changed' })).toBe('filesChanged');
    expect(ownReason({ source: 'files', author: '李工', reason: 'first start' })).toBeNull();
  });
});

describe('files', () => {
  it('become the document of their name, and workbooks what their sheets are called', () => {
    const documents = ['site.yaml', 'points/tanks.csv', 'a/x.csv', 'b/x.csv', 'contacts.xlsx'];
    expect(['site.yaml', 'tanks.csv', 'points.xlsx', 'contacts.xlsx'].map((name) => isTold(name, documents))).toEqual([true, true, true, true]);
    expect(['x.csv', 'other.yaml'].map((name) => isTold(name, documents))).toEqual([false, false]);
  });

  it('are shown by their lines, some at a time', () => {
    expect(numbered('a\r\nb\n', 10)).toEqual({ lines: ['a', 'b'], more: 0 });
    expect(numbered('a\nb\nc', 2)).toEqual({ lines: ['a', 'b'], more: 1 });
  });
});

describe('the state of the service', () => {
  it('has its parts in the order of the chain, with words only where they are of use', () => {
    const part = { status: 'ok', since: null, detail: 'connected' } as const;
    const components = {
      broker: part,
      historian: { ...part, status: 'down', detail: 'refused', backlog: 3 },
      ledger: part,
      spool: { ...part, detail: '2 readings were not stored', bytes: 0, limit: 1, samples: 0 },
      canary: { status: 'ok', latency_ms: 3, last: null, since: null },
      configuration: { ...part, revision: 1 },
    } satisfies Health['components'];
    const parts = partsOf({ components } as unknown as Health);
    expect(parts.map(({ name }) => name)).toEqual(['broker', 'historian', 'ledger', 'spool', 'canary', 'configuration']);
    expect(parts.map(({ detail }) => detail)).toEqual(['', 'refused', '', '2 readings were not stored', '', '']);
  });
});

it('shows a part of many, more by the press of a button, and of another list a part again', async () => {
  const list = ref('one');
  const { most, more } = useShowing(list, 50, 20);
  expect(most.value).toBe(20);
  more();
  expect(most.value).toBe(70);
  list.value = 'another';
  await nextTick();
  expect(most.value).toBe(20);
});
