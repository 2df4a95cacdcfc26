import { expect, it } from 'vitest';

import { arrange } from '@/styles/scrolled';

it('what is wider than its place is reached by the keyboard, and only then', () => {
  const attributes = new Map<string, string>();
  const element = {
    clientWidth: 300,
    setAttribute: (name: string, value: string) => void attributes.set(name, value),
    removeAttribute: (name: string) => void attributes.delete(name),
  };
  arrange({ ...element, scrollWidth: 301 });
  expect([...attributes]).toEqual([['tabindex', '0']]);
  arrange({ ...element, scrollWidth: 300 });
  expect(attributes.size).toBe(0);
});
