import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { NOTHING, type Due, type Part } from '@/sound/due';
import { Sounder } from '@/sound/sounder';
import type { Tone } from '@/sound/patterns';

function due(tones: readonly Tone[], ...ids: string[]): Due {
  return { parts: tones.map((tone) => ({ tone, drill: false })), keys: new Set(ids), count: ids.length, newest: 0 };
}

describe('sounder', () => {
  let played: string[];
  let hushed: number;
  let speech: number;
  let sounder: Sounder;

  beforeEach(() => {
    vi.useFakeTimers();
    played = [];
    hushed = 0;
    speech = 0;
    sounder = new Sounder({
      play(_, { tone }: Part) {
        played.push(`${tone}@${performance.now()}`);
      },
      hush() {
        hushed += 1;
      },
      say: () =>
        new Promise((resolve) => {
          if (speech === 0) resolve(false);
          else setTimeout(resolve, speech, true);
        }),
      now: () => performance.now(),
    });
    vi.setSystemTime(0);
  });

  afterEach(() => {
    sounder.stop();
    vi.useRealTimers();
  });

  const pass = (milliseconds: number): Promise<unknown> => vi.advanceTimersByTimeAsync(milliseconds);
  const tones = (): string[] => played.map((each) => each.split('@')[0] ?? '');

  it('repeats a pattern until nothing is due any more', async () => {
    sounder.update(due(['red'], 'a'));
    await pass(6_000);
    expect(tones()).toEqual(['red', 'red', 'red']);
    sounder.update(NOTHING);
    expect(hushed).toBe(2);
    await pass(60_000);
    expect(played).toHaveLength(3);
  });

  it('starts at once with what is graver', async () => {
    sounder.update(due(['blue'], 'a'));
    await pass(1_000);
    sounder.update(due(['orange'], 'a', 'b'));
    expect(tones()).toEqual(['blue', 'orange']);
  });

  it('starts at once for a new alarm of the same grade, but not within the pattern that sounds', async () => {
    sounder.update(due(['blue'], 'a'));
    await pass(1_000);
    sounder.update(due(['blue'], 'a', 'b'));
    expect(played).toHaveLength(1);
    await pass(2_000);
    sounder.update(due(['blue'], 'a', 'b', 'c'));
    expect(played).toHaveLength(2);
    sounder.update(due(['blue'], 'a', 'b', 'c'));
    expect(played).toHaveLength(2);
  });

  it('takes turns', async () => {
    sounder.update(due(['lost', 'red'], 'a'));
    await pass(9_000);
    expect(tones()).toEqual(['red', 'lost', 'red', 'lost']);
  });

  it('waits for words to end, and is not late without any', async () => {
    speech = 6_000;
    sounder.update(due(['red'], 'a'));
    await pass(8_000);
    expect(played).toHaveLength(1);
    await pass(500);
    expect(played).toHaveLength(2);
    speech = 0;
    await pass(20_000);
    expect(played.length).toBeGreaterThan(6);
  });

  it('cuts words off for what is graver, and not for more of the same', async () => {
    speech = 8_000;
    sounder.update(due(['orange'], 'a'));
    await pass(4_000);
    sounder.update(due(['orange'], 'a', 'b'));
    expect(tones()).toEqual(['orange']);
    sounder.update(due(['red'], 'a', 'b', 'c'));
    expect(tones()).toEqual(['orange', 'red']);
  });

  it('begins anew when the browser lets sound through', async () => {
    sounder.restart();
    expect(played).toEqual([]);
    sounder.update(due(['yellow'], 'a'));
    await pass(3_000);
    sounder.restart();
    expect(tones()).toEqual(['yellow', 'yellow']);
    await pass(10_100);
    expect(played).toHaveLength(3);
  });
});
