import { describe, expect, it } from 'vitest';

import { tilesOf } from '@/map/tiles';
import { Projection, type View } from '@/map/view';

const SIZE = { width: 800, height: 600 };

describe('tiles', () => {
  const projection = new Projection(36);
  const server = { url: 'https://t.example/{z}/{x}/{y}.png', attribution: '©', deepest: 17 };

  it('cover the screen, each where its corner of the world is', () => {
    const at = projection.point(118.75, 36.9);
    const view: View = { ...at, scale: 2000 };
    const tiles = tilesOf(server, projection, view, SIZE);
    const [first] = tiles;
    expect(first?.href).toMatch(/^https:\/\/t\.example\/11\/\d+\/\d+\.png$/);
    expect(Math.min(...tiles.map(({ left }) => left))).toBeLessThanOrEqual(0);
    expect(Math.max(...tiles.map(({ left, side }) => left + side))).toBeGreaterThanOrEqual(SIZE.width);
    // The middle of the screen lies in the tile that the formula of slippy maps names.
    const angle = (36.9 * Math.PI) / 180;
    const x = Math.floor(((118.75 + 180) / 360) * 2 ** 11);
    const y = Math.floor(((1 - Math.log(Math.tan(angle) + 1 / Math.cos(angle)) / Math.PI) / 2) * 2 ** 11);
    const middle = tiles.find(({ left, top, side }) => left <= 400 && left + side > 400 && top <= 300 && top + side > 300);
    expect(middle?.href).toBe(`https://t.example/11/${x}/${y}.png`);
  });

  it('are asked for no nearer than the server has them, and not beyond the poles', () => {
    const near = tilesOf(server, projection, { ...projection.point(118.75, 36.9), scale: 222_640 }, SIZE);
    expect(near[0]?.href).toContain('/17/');
    const far = tilesOf(server, projection, { x: 0, y: 0, scale: 1 }, SIZE);
    expect(new Set(far.map(({ href }) => href))).toEqual(new Set(far.map(({ href }) => href).filter((href) => /\/[01]\/[01]\/[01]\.png$/.test(href))));
    expect(projection.point(0, 90).y).toBeCloseTo(projection.world.top, 1);
  });
});
