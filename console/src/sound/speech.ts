/** The browser's speech, thin. It says nothing where no voice of this machine speaks the console's language. */

import { voiceFor } from '@/sound/herald';

/** Speech that has not begun, or not ended, by then never will: a known fault of browsers, or a very long name. */
const BEGIN_MS = 3_000;
const END_MS = 15_000;
/** Speech that did not begin is not waited for again before that: the tones keep their own pace meanwhile. */
const DUMB_MS = 300_000;

export class Speech {
  private readonly synthesis = 'speechSynthesis' in window ? window.speechSynthesis : null;
  private readonly changed: () => void;
  /** Runs while speech counts as broken. */
  private dumb: ReturnType<typeof setTimeout> | undefined;

  /** `changed`: other voices are there than before. */
  constructor(changed: () => void) {
    this.changed = changed;
    this.synthesis?.addEventListener('voiceschanged', this.revive);
  }

  close(): void {
    this.synthesis?.removeEventListener('voiceschanged', this.revive);
    clearTimeout(this.dumb);
    this.hush();
  }

  voice(language: string): SpeechSynthesisVoice | null {
    return this.synthesis === null || this.dumb !== undefined ? null : voiceFor(this.synthesis.getVoices(), language);
  }

  private readonly revive = (): void => {
    clearTimeout(this.dumb);
    this.dumb = undefined;
    this.changed();
  };

  /** True once it has been said; false where it could not be. Never waits for ever. */
  async say(text: string, language: string, volume: number): Promise<boolean> {
    const { synthesis } = this;
    const voice = this.voice(language);
    if (synthesis === null || voice === null) return false;
    return new Promise((resolve) => {
      const words = new SpeechSynthesisUtterance(text);
      words.voice = voice;
      words.lang = voice.lang;
      words.volume = volume;
      let timer = setTimeout(() => {
        finish(false);
        this.dumb = setTimeout(this.revive, DUMB_MS);
        this.changed();
      }, BEGIN_MS);
      function finish(said: boolean): void {
        clearTimeout(timer);
        resolve(said);
      }
      words.onstart = () => {
        clearTimeout(timer);
        timer = setTimeout(() => {
          finish(true);
          // A description without an end would talk over the tones.
          synthesis.cancel();
        }, END_MS);
      };
      words.onend = () => {
        finish(true);
      };
      words.onerror = () => {
        finish(false);
      };
      synthesis.cancel();
      synthesis.speak(words);
    });
  }

  hush(): void {
    this.synthesis?.cancel();
  }
}
