import { afterEach, expect, it, vi } from 'vitest';

import { isUpgraded } from '@/upgrading';

afterEach(() => {
  vi.unstubAllGlobals();
});

it('is told by the script that the service names now; what does not answer is no upgrade', async () => {
  const page = '<script type="module" crossorigin src="./assets/index-new.js"></script>';
  const answer = vi.fn(() => Promise.resolve(new Response(page)));
  vi.stubGlobal('fetch', answer);
  expect(await isUpgraded('./assets/index-new.js')).toBe(false);
  expect(await isUpgraded('./assets/index-old.js')).toBe(true);
  answer.mockResolvedValueOnce(new Response('starting', { status: 503 }));
  expect(await isUpgraded('./assets/index-old.js')).toBe(false);
  answer.mockRejectedValueOnce(new TypeError('Failed to fetch'));
  expect(await isUpgraded('./assets/index-old.js')).toBe(false);
});
