import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

/** WCAG 2.2 level AA for text. */
const LEAST = 4.5;
const SURFACES = ['page', 'surface', 'surface-raised', 'surface-hover'];
const GRADES = ['red', 'orange', 'yellow', 'blue'];

type Colour = [number, number, number];

const css = ['styles/tokens.css', 'trend/pens.css']
  .map((name) => readFileSync(join(import.meta.dirname, '../src', name), 'utf8'))
  .join('');
const PENS = [1, 2, 3, 4, 5, 6, 7, 8].map((number) => `pen-${number}`);

function themeOf(name: string): Map<string, Colour> {
  const blocks = css.matchAll(new RegExp(`data-theme='${name}'\\]\\s*\\{([^}]*)\\}`, 'g'));
  const block = [...blocks].map(([, found]) => found ?? '').join('');
  return new Map(
    [...block.matchAll(/--([\w-]+):\s*#([0-9a-f]{6})/g)].map(([, key, hex]) => {
      const parts = [0, 2, 4].map((index) => parseInt((hex ?? '').slice(index, index + 2), 16));
      return [key ?? '', parts as Colour];
    }),
  );
}

function luminance(colour: Colour): number {
  const [r, g, b] = colour.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as Colour;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: Colour, b: Colour): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

function mix(a: Colour, b: Colour, share: number): Colour {
  return a.map((part, index) => part * share + (b[index] ?? 0) * (1 - share)) as Colour;
}

describe.each(['dark', 'light'])('%s theme', (name) => {
  const theme = themeOf(name);
  const colour = (key: string): Colour => {
    const found = theme.get(key);
    if (found === undefined) throw new Error(`no colour ${key}`);
    return found;
  };

  it.each(['text', 'text-dim', ...GRADES, ...PENS])('%s can be read on every surface', (text) => {
    for (const surface of SURFACES) {
      expect(contrast(colour(text), colour(surface)), surface).toBeGreaterThanOrEqual(LEAST);
    }
  });

  it.each([...GRADES, 'banner'])('words on the fill of %s can be read', (grade) => {
    expect(contrast(colour(`${grade}-ink`), colour(`${grade}-fill`))).toBeGreaterThanOrEqual(LEAST);
  });

  it.each(GRADES)('words on rows and cards tinted %s can be read', (grade) => {
    const tints = [[0.09, 'surface'], [0.13, 'surface'], [0.09, 'surface-raised']] as const; // the last: under the pointer
    for (const [share, surface] of tints) {
      const tinted = mix(colour(`${grade}-fill`), colour(surface), share);
      for (const text of ['text', 'text-dim']) expect(contrast(colour(text), tinted)).toBeGreaterThanOrEqual(LEAST);
    }
  });

  it('words that are outdated can be read', () => {
    for (const text of ['text', 'text-dim']) {
      const [front, back] = [mix(colour(text), colour('page'), 0.85), mix(colour('surface'), colour('page'), 0.85)];
      expect(contrast(front, back)).toBeGreaterThanOrEqual(LEAST);
    }
  });

  it('the main button can be read', () => {
    expect(contrast(colour('page'), colour('accent'))).toBeGreaterThanOrEqual(LEAST);
  });
});
