import { afterEach, describe, expect, it, vi } from 'vitest';

import { begin } from '@/keyboard/beginning';

afterEach(() => {
  vi.unstubAllGlobals();
});

function begun(coarse: boolean): string {
  let at = '';
  const part = (name: string) => ({ focus: () => (at = name) }) as unknown as HTMLElement;
  vi.stubGlobal('window', { matchMedia: (query: string) => ({ matches: coarse && query === '(pointer: coarse)' }) });
  begin(part('heading'), part('field'));
  return at;
}

describe('the focus of a dialog', () => {
  it('begins where one types, and on a telephone at the heading, so that no keyboard comes up', () => {
    expect([begun(false), begun(true)]).toEqual(['field', 'heading']);
  });
});
