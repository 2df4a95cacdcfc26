/** What the console's pages are enlarged by: 1, or more on a screen that the system itself does not enlarge. */
export function enlargement(): number {
  return Number(getComputedStyle(document.documentElement).getPropertyValue('--enlarged'));
}

/** Pixels of a canvas for one of a page. */
export function pixelRatio(): number {
  return devicePixelRatio * enlargement();
}

/** Where in an element a pointer is, in the page's pixels: events have the window's. */
export function within(element: Element | null, event: MouseEvent): { x: number; y: number } {
  const { left, top } = element?.getBoundingClientRect() ?? { left: 0, top: 0 };
  const scale = enlargement();
  return { x: (event.clientX - left) / scale, y: (event.clientY - top) / scale };
}
