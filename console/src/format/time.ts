/** Times as the officer reads them, in the browser's own time zone. */

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** `HH:MM:SS`. */
export function timeOfDay(instant: number | string): string {
  const at = new Date(instant);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** `YYYY-MM-DD`. */
export function dateOf(instant: number | string): string {
  const at = new Date(instant);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** Time of day, with the date before it unless it is today's. */
export function moment(instant: number | string, now: number): string {
  const date = dateOf(instant);
  return date === dateOf(now) ? timeOfDay(instant) : `${date} ${timeOfDay(instant)}`;
}

/** With its date always; with its seconds only where it has some. */
export function fullMoment(instant: number | string): string {
  return `${dateOf(instant)} ${timeOfDay(instant).replace(/:00$/, '')}`;
}

/** `UTC+8` for the browser's zone at that instant. */
export function zoneOf(instant: number): string {
  const minutes = -new Date(instant).getTimezoneOffset();
  const hours = Math.trunc(Math.abs(minutes) / 60);
  const rest = Math.abs(minutes) % 60;
  return `UTC${minutes < 0 ? '-' : '+'}${hours}${rest === 0 ? '' : `:${two(rest)}`}`;
}

export interface Age {
  /** Name of the message below `age`. */
  key: 'seconds' | 'minutes' | 'hours' | 'days';
  params: { a: number; b: string };
}

/** A span in two units at most. Never negative: clocks of two machines differ a little. */
export function ageOf(milliseconds: number): Age {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return { key: 'seconds', params: { a: seconds, b: '' } };
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return { key: 'minutes', params: { a: minutes, b: two(seconds % 60) } };
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return { key: 'hours', params: { a: hours, b: two(minutes % 60) } };
  return { key: 'days', params: { a: Math.floor(hours / 24), b: String(hours % 24) } };
}

/** `YYYY-MM-DDTHH:MM`, as a field for a local time has it. */
export function localInput(instant: number): string {
  return `${dateOf(instant)}T${timeOfDay(instant).slice(0, 5)}`;
}
