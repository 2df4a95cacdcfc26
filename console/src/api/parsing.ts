/** What the service sends, read so that no text of a stranger turns the order of the words around it. */

/** Unicode's embeddings, overrides and isolates of direction (UAX #9): invisible, they reach beyond their own text. */
const TURNING = /[\u202A-\u202E\u2066-\u2069]/g;

/** JSON; where one of them stood, a mark says that there was something. */
export function parsed(text: string): unknown {
  return JSON.parse(text.replace(TURNING, '\uFFFD'));
}
