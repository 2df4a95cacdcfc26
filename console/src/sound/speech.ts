/** The browser's speech, thin. It says nothing where no voice of this machine speaks the console's language. */

import { voiceFor } from '@/sound/herald';

/** Speech that has not begun, or not ended, by then never will: a known fault of browsers. */
const BEGIN_MS = 3_000;
const END_MS = 15_000;

export class Speech {
  private readonly synthesis = 'speechSynthesis' in window ? window.speechSynthesis : null;
  private readonly changed: () => void;

  /** `changed`: other voices are there than before. */
  constructor(changed: () => void) {
    this.changed = changed;
    this.synthesis?.addEventListener('voiceschanged', this.changed);
  }

  close(): void {
    this.synthesis?.removeEventListener('voiceschanged', this.changed);
    this.hush();
  }

  voice(language: string): SpeechSynthesisVoice | null {
    return this.synthesis === null ? null : voiceFor(this.synthesis.getVoices(), language);
  }

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
      let timer = setTimeout(finish, BEGIN_MS, false);
      function finish(said: boolean): void {
        clearTimeout(timer);
        resolve(said);
      }
      words.onstart = () => {
        clearTimeout(timer);
        timer = setTimeout(finish, END_MS, true);
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
