import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Pacing, REST_MS } from '@/live/pacing';

/** Drawing that takes so many ms, on a clock that only the test moves. */
function paced(takes: number): { pacing: Pacing; at: number[] } {
  const at: number[] = [];
  const begin = performance.now();
  const pacing = new Pacing(
    () => {
      at.push(performance.now() - begin);
    },
    () =>
      new Promise((resolve) => {
        setTimeout(resolve, takes);
      }),
  );
  return { pacing, at };
}

describe('pacing', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('draws the first change at once, and all that follow together', async () => {
    const { pacing, at } = paced(1);
    for (let change = 0; change < 10; change += 1) pacing.ask();
    expect(at).toEqual([0]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(at).toEqual([0, REST_MS]);
    pacing.ask();
    expect(at).toHaveLength(3);
  });

  it('lets what is grave wait no longer than a frame', async () => {
    const { pacing, at } = paced(1);
    pacing.ask();
    await vi.advanceTimersByTimeAsync(2);
    pacing.ask();
    pacing.ask(true);
    pacing.ask();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(at).toEqual([0, 16]);
  });

  it('rests longer where drawing takes longer, but not for ever', async () => {
    const { pacing, at } = paced(60);
    pacing.ask();
    await vi.advanceTimersByTimeAsync(61);
    pacing.ask();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(at).toEqual([0, 180]);
    const slow = paced(1_000);
    slow.pacing.ask();
    await vi.advanceTimersByTimeAsync(1_001);
    slow.pacing.ask();
    expect(slow.at).toHaveLength(2);
  });

  it('answers a click at once, and stops', async () => {
    const { pacing, at } = paced(1);
    pacing.ask();
    pacing.now();
    expect(at).toEqual([0, 0]);
    pacing.ask();
    pacing.stop();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(at).toHaveLength(2);
  });
});
