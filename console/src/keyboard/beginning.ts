/**
 * Where the focus of a dialog begins. On a telephone a text field would bring up the keyboard at once, over what is to
 * be confirmed; there it is the heading, which is read out, and the field is a touch away.
 */
export function begin(heading: HTMLElement | null, field: HTMLElement | null): void {
  (window.matchMedia('(pointer: coarse)').matches ? heading : field)?.focus();
}
