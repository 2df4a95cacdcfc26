/** The bearer token: taken from the address bar once, kept for this browser tab only. */

import { shallowRef } from 'vue';

const KEY = 'anshao.token';

const current = shallowRef<string | null>(null);

/** The service has just refused a token. */
export const wasRefused = shallowRef(false);

/** Token in a URL fragment such as `#token=abc`; null if there is none. */
export function tokenOfFragment(fragment: string): string | null {
  const found = /^#\/?token=([^&]+)/.exec(fragment)?.[1];
  if (found === undefined) return null;
  try {
    const text = decodeURIComponent(found);
    return isToken(text) ? text : null;
  } catch {
    return null;
  }
}

/** Moves a token from the address bar to the session; false if there is none. */
export function adoptToken(location: Location, history: History): boolean {
  const given = tokenOfFragment(location.hash);
  if (given !== null) {
    sessionStorage.setItem(KEY, given);
    history.replaceState(null, '', location.pathname + location.search);
  }
  current.value = sessionStorage.getItem(KEY);
  return given !== null;
}

export function token(): string | null {
  return current.value;
}

export function keepToken(given: string): void {
  sessionStorage.setItem(KEY, given);
  current.value = given;
  wasRefused.value = false;
}

/** The service did not accept it: the page that asks for a token appears. */
export function dropToken(): void {
  sessionStorage.removeItem(KEY);
  wasRefused.value = current.value !== null;
  current.value = null;
}

/** True for text that an HTTP header and a WebSocket subprotocol can carry. */
export function isToken(text: string): boolean {
  return /^[\w.~!#$%&'*+^`|-]+$/.test(text);
}
