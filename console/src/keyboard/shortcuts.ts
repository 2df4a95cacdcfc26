/** The one keyboard of the browser tab, and how a component takes part in it. */

import { onScopeDispose } from 'vue';

import { Keyboard, type Place, type Shortcut } from '@/keyboard/keyboard';
import { characterKeys } from '@/preferences/preferences';

export const keyboard = new Keyboard();

const CONTROL = 'button, a[href], summary';
const TYPING = 'select, textarea, [contenteditable], input:not([type=checkbox], [type=radio], [type=button])';

/** Menus and dialogs have their keys for themselves. */
const APART = '[data-own-keys], dialog';

function placeOf(target: EventTarget | null): Place {
  if (!(target instanceof Element)) return { typing: false, control: false };
  const typing = target.closest(`${TYPING}, ${APART}`) !== null;
  return { typing, control: target.closest(`${CONTROL}, input`) !== null };
}

/** Listens for as long as the scope lives. */
export function listenToKeys(): void {
  function pressed(event: KeyboardEvent): void {
    if (document.querySelector('dialog[open]') !== null) return;
    if (keyboard.press(event, placeOf(event.target), characterKeys.value === 'on')) event.preventDefault();
  }
  document.addEventListener('keydown', pressed);
  onScopeDispose(() => {
    document.removeEventListener('keydown', pressed);
  });
}

/** Shortcuts for as long as the component lives. */
export function useShortcuts(title: string, shortcuts: readonly Shortcut[]): void {
  onScopeDispose(keyboard.add({ title, shortcuts }));
}
