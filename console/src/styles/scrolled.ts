/** What may be wider than its place: where it is, the keyboard reaches it, and the arrow keys scroll it. */

import type { ObjectDirective } from 'vue';

const observers = new WeakMap<HTMLElement, ResizeObserver>();

export function arrange(element: Pick<HTMLElement, 'scrollWidth' | 'clientWidth' | 'setAttribute' | 'removeAttribute'>): void {
  if (element.scrollWidth > element.clientWidth) element.setAttribute('tabindex', '0');
  else element.removeAttribute('tabindex');
}

export const scrolled: ObjectDirective<HTMLElement> = {
  mounted(element) {
    const observer = new ResizeObserver(() => {
      arrange(element);
    });
    for (const one of [element, ...element.children]) observer.observe(one);
    observers.set(element, observer);
  },
  unmounted(element) {
    observers.get(element)?.disconnect();
  },
};
