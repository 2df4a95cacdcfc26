import { describe, expect, it } from 'vitest';

import { remembered, type RowText } from '@/alarms/rowText';

import { alarm } from './samples';

describe('words of a row', () => {
  it('are worked out once for a record in a language', () => {
    const asked: number[] = [];
    const words = remembered(({ id, state }) => {
      asked.push(id);
      return { state } as RowText;
    });
    const one = alarm({ id: 1 });
    expect(words(one, 'en')).toBe(words(one, 'en'));
    words(alarm({ id: 2 }), 'en');
    expect(words({ ...one, state: 'acknowledged' }, 'en').state).toBe('acknowledged');
    expect(asked).toEqual([1, 2, 1]);
    words(one, 'zh-CN');
    words(one, 'zh-CN');
    expect(asked).toEqual([1, 2, 1, 1]);
  });
});
