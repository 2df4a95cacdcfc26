import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { effectScope } from 'vue';

import { Problem } from '@/api/client';
import type { Preview } from '@/api/types';
import { previewOf, type PreviewRequest } from '@/tuning/figures';
import { usePreview, type Previewing } from '@/tuning/previewing';

import { COMPARISON, TAG } from './tuning-samples';

// What the browser remembers; nothing is sent here.
vi.mock('@/preferences/preferences', () => ({ desk: { value: '' } }));
vi.mock('@/api/token', () => ({ token: () => null, dropToken: () => undefined }));

describe('a preview', () => {
  const request = (setpoint: number): PreviewRequest => previewOf(TAG, { H: { setpoint } }, [0, 1]);
  const answered = (setpoint: number): Preview => ({ ...COMPARISON, readings: setpoint, loosened: [] });
  const sent: { setpoint: number; signal: AbortSignal; answer: (fault?: Error) => void }[] = [];
  let previewing: Previewing;
  let scope = effectScope();

  beforeEach(() => {
    vi.useFakeTimers();
    sent.length = 0;
    scope = effectScope();
    scope.run(() => {
      previewing = usePreview(
        (asked, signal) =>
          new Promise((resolve, reject) => {
            const setpoint = asked.rules[0]?.setpoint ?? 0;
            sent.push({
              setpoint,
              signal,
              answer: (fault) => {
                if (fault === undefined) resolve(answered(setpoint));
                else reject(fault);
              },
            });
          }),
      );
    });
  });
  afterEach(() => {
    scope.stop();
    vi.useRealTimers();
  });

  it('is asked for when the hand stops, once', async () => {
    for (const setpoint of [11, 12, 13]) {
      previewing.ask(request(setpoint));
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(sent).toEqual([]);
    expect(previewing.busy.value).toBe(true);
    await vi.advanceTimersByTimeAsync(100);
    expect(sent.map(({ setpoint }) => setpoint)).toEqual([13]);
    sent[0]?.answer();
    await vi.advanceTimersByTimeAsync(0);
    expect(previewing.answer.value?.readings).toBe(13);
    expect(previewing.busy.value).toBe(false);
  });

  it('is given up when a newer one is asked for, whatever it still answers', async () => {
    previewing.ask(request(11), true);
    await vi.advanceTimersByTimeAsync(1);
    previewing.ask(request(12), true);
    await vi.advanceTimersByTimeAsync(1);
    expect(sent.map(({ signal }) => signal.aborted)).toEqual([true, false]);
    sent[1]?.answer();
    sent[0]?.answer();
    await vi.advanceTimersByTimeAsync(0);
    expect(previewing.answer.value?.readings).toBe(12);
  });

  it('says why it failed, keeps what was known, and mends with the next', async () => {
    previewing.ask(request(11), true);
    await vi.advanceTimersByTimeAsync(1);
    sent[0]?.answer();
    await vi.advanceTimersByTimeAsync(0);
    previewing.ask(request(12), true);
    await vi.advanceTimersByTimeAsync(1);
    sent[1]?.answer(new Problem(503, 'Service Unavailable', 'the historian does not answer'));
    await vi.advanceTimersByTimeAsync(0);
    expect(previewing.failure.value?.status).toBe(503);
    expect(previewing.answer.value?.readings).toBe(11);
    expect(previewing.busy.value).toBe(false);
    previewing.ask(request(13), true);
    await vi.advanceTimersByTimeAsync(1);
    sent[2]?.answer();
    await vi.advanceTimersByTimeAsync(0);
    expect(previewing.failure.value).toBeNull();
  });

  it('ends with its page', async () => {
    previewing.ask(request(11), true);
    await vi.advanceTimersByTimeAsync(1);
    scope.stop();
    expect(sent[0]?.signal.aborted).toBe(true);
    previewing.ask(null);
    expect(previewing.answer.value).toBeNull();
  });
});
