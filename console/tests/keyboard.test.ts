import { describe, expect, it } from 'vitest';

import en from '@/i18n/messages/en.json';
import { Keyboard, keyOf, type Press } from '@/keyboard/keyboard';

const FREE = { typing: false, control: false };

function press(key: string, more: Partial<Press> = {}): Press {
  const none = { shiftKey: false, ctrlKey: false, altKey: false, metaKey: false, isComposing: false, defaultPrevented: false };
  return { key, ...none, ...more };
}

describe('keys', () => {
  it('are named alike with capitals locked and with signs of a Chinese keyboard', () => {
    expect(keyOf(press('A'))).toBe('a');
    expect(keyOf(press('a', { shiftKey: true }))).toBe('Shift+A');
    expect(keyOf(press('?', { shiftKey: true }))).toBe('?');
    expect(keyOf(press('？', { shiftKey: true }))).toBe('?');
    expect(keyOf(press('ArrowDown', { shiftKey: true }))).toBe('Shift+ArrowDown');
  });

  it("are left to the browser and to what is being composed", () => {
    expect(keyOf(press('a', { ctrlKey: true }))).toBeNull();
    expect(keyOf(press('a', { isComposing: true }))).toBeNull();
  });

  it('do what was registered, and nothing once that is gone', () => {
    const keyboard = new Keyboard();
    const done: string[] = [];
    const run = (name: string) => () => void done.push(name);
    const leave = keyboard.add({ title: 'list', shortcuts: [{ keys: ['a', 'Enter'], name: 'acknowledge', run: run('a') }] });
    expect(keyboard.press(press('a'), FREE, true)).toBe(true);
    expect(keyboard.press(press('b'), FREE, true)).toBe(false);
    expect(keyboard.press(press('a'), { typing: true, control: false }, true)).toBe(false);
    expect(keyboard.press(press('a', { defaultPrevented: true }), FREE, true)).toBe(false);
    expect(keyboard.press(press('Enter'), { typing: false, control: true }, true)).toBe(false);
    expect(keyboard.press(press('a'), FREE, false)).toBe(false);
    expect(keyboard.press(press('Enter'), FREE, false)).toBe(true);
    expect(keyboard.chapters.value.flatMap(({ shortcuts }) => shortcuts.map(({ name }) => name))).toEqual(['acknowledge']);
    leave();
    expect(keyboard.press(press('a'), FREE, true)).toBe(false);
    expect(done).toEqual(['a', 'a']);
  });

  it('of the part that came last go before the same ones of the page', () => {
    const keyboard = new Keyboard();
    const done: number[] = [];
    keyboard.add({ title: 'page', shortcuts: [{ keys: ['a'], name: 'first', run: () => void done.push(1) }] });
    keyboard.add({ title: 'list', shortcuts: [{ keys: ['a'], name: 'second', run: () => void done.push(2) }] });
    keyboard.press(press('a'), FREE, true);
    expect(done).toEqual([2]);
    expect(en.keys.chapter).toBeTruthy();
  });
});
