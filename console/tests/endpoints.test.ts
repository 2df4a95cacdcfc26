import { expect, it, vi } from 'vitest';

import { get } from '@/api/client';
import { tuningRules } from '@/api/endpoints';

import { TAG } from './tuning-samples';

vi.mock('@/api/client', () => ({ get: vi.fn() }));

it('the rules of a unit are read page by page to the last', async () => {
  const asked = vi.mocked(get);
  const other = { ...TAG, tag: 'GT-102' };
  asked.mockResolvedValueOnce({ items: [TAG], next: 'GT-101' }).mockResolvedValueOnce({ items: [other], next: null });
  expect(await tuningRules('works', 'tankfarm')).toEqual([TAG, other]);
  expect(asked.mock.calls.map(([, query]) => query?.after)).toEqual([null, 'GT-101']);
});
