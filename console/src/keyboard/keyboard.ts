/**
 * All keyboard shortcuts of the page that is shown. A key does something only by being here, and the help lists what
 * is here: so it cannot name a key that does nothing, nor keep one to itself.
 */

import { shallowRef, type ShallowRef } from 'vue';

export interface Shortcut {
  /** As `keyOf` names them; any of them. */
  keys: readonly string[];
  /** `keys.<name>` in the messages. */
  name: string;
  run: () => void;
}

/** Shortcuts of one part of the page. */
export interface Chapter {
  /** `keys.chapter.<title>` in the messages. */
  title: string;
  shortcuts: readonly Shortcut[];
}

/** What of a key event is looked at. */
export type Press = Pick<KeyboardEvent, 'key' | 'shiftKey' | 'ctrlKey' | 'altKey' | 'metaKey' | 'isComposing' | 'defaultPrevented'>;

/** What the key was pressed in. */
export interface Place {
  /** Text is typed, or an entry chosen, there. */
  typing: boolean;
  /** A button or link, for which Enter and the space bar have a meaning already. */
  control: boolean;
}

const FULL_WIDTH: Record<string, string> = { '？': '?', '／': '/', '　': ' ' };

/** `a`, `Shift+A`, `ArrowDown`, `Shift+ArrowDown`, `?`; null: belongs to the browser. */
export function keyOf(press: Press): string | null {
  if (press.ctrlKey || press.altKey || press.metaKey || press.isComposing) return null;
  const key = FULL_WIDTH[press.key] ?? press.key;
  if (/^[a-z]$/i.test(key)) return press.shiftKey ? `Shift+${key.toUpperCase()}` : key.toLowerCase();
  return press.shiftKey && key.length > 1 ? `Shift+${key}` : key;
}

/** A letter or sign, which also somebody types who speaks to the computer or leans on a key. */
export function isCharacter(key: string): boolean {
  return key.replace(/^Shift\+/, '').length === 1;
}

export class Keyboard {
  readonly chapters: ShallowRef<readonly Chapter[]> = shallowRef([]);

  /** Returns what takes it away again. */
  add(chapter: Chapter): () => void {
    this.chapters.value = [...this.chapters.value, chapter];
    return () => {
      this.chapters.value = this.chapters.value.filter((each) => each !== chapter);
    };
  }

  /** Does what the key stands for; true: it stood for something. `characters`: letters and signs count. */
  press(press: Press, { typing, control }: Place, characters: boolean): boolean {
    const key = keyOf(press);
    if (press.defaultPrevented || typing || key === null) return false;
    if (control && (key === 'Enter' || key === ' ')) return false;
    if (!characters && isCharacter(key)) return false;
    const found = this.chapters.value
      .flatMap(({ shortcuts }) => shortcuts)
      .filter(({ keys }) => keys.includes(key))
      .at(-1);
    found?.run();
    return found !== undefined;
  }
}
