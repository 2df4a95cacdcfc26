import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Speech } from '@/sound/speech';

interface Words {
  onstart?: () => void;
  onend?: () => void;
}

describe('speech', () => {
  const changed = vi.fn();
  let spoken: Words[];
  let voicesChange: () => void;
  const cancel = vi.fn();

  beforeEach(() => {
    vi.useFakeTimers();
    spoken = [];
    changed.mockReset();
    const speechSynthesis = {
      getVoices: () => [{ lang: 'zh-CN', name: 'Huihui', localService: true }],
      addEventListener: (_: string, listener: () => void) => (voicesChange = listener),
      removeEventListener: vi.fn(),
      speak: (words: Words) => spoken.push(words),
      cancel,
    };
    vi.stubGlobal('window', { speechSynthesis });
    vi.stubGlobal('SpeechSynthesisUtterance', Object);
  });

  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('has said what began and ended', async () => {
    const speech = new Speech(changed);
    const said = speech.say('红色警情', 'zh-CN', 1);
    spoken[0]?.onstart?.();
    spoken[0]?.onend?.();
    expect(await said).toBe(true);
  });

  it('talks no longer than that over the tones, however long a name is', async () => {
    const speech = new Speech(changed);
    const said = speech.say('描述'.repeat(5_000), 'zh-CN', 1);
    spoken[0]?.onstart?.();
    cancel.mockReset();
    await vi.advanceTimersByTimeAsync(15_000);
    expect(await said).toBe(true);
    expect(cancel).toHaveBeenCalledOnce();
  });

  it('is not waited for again soon where it never began, and the page is told', async () => {
    const speech = new Speech(changed);
    const said = speech.say('红色警情', 'zh-CN', 1);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(await said).toBe(false);
    expect(changed).toHaveBeenCalledOnce();
    expect(speech.voice('zh-CN')).toBeNull();
    expect(await speech.say('红色警情', 'zh-CN', 1)).toBe(false);
    expect(spoken).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(300_000);
    expect(changed).toHaveBeenCalledTimes(2);
    expect(speech.voice('zh-CN')).not.toBeNull();
  });

  it('is tried again when other voices come', async () => {
    const speech = new Speech(changed);
    void speech.say('红色警情', 'zh-CN', 1);
    await vi.advanceTimersByTimeAsync(3_000);
    voicesChange();
    expect(speech.voice('zh-CN')).not.toBeNull();
    speech.close();
  });
});
