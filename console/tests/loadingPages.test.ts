import { expect, it, vi } from 'vitest';

import { loadPages } from '@/loadingPages';

it('loads every page that is not there yet, and one that cannot be had keeps no other out', async () => {
  const [missing, loaded] = [vi.fn(() => Promise.reject(new TypeError('no service'))), vi.fn(() => Promise.resolve({}))];
  const routes = [missing, {}, loaded].map((page) => ({ components: { default: page } }));
  loadPages({ getRoutes: () => routes } as never);
  await Promise.resolve();
  expect(missing).toHaveBeenCalledOnce();
  expect(loaded).toHaveBeenCalledOnce();
});
