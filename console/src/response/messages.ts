/** What became of messages, and what to do where nothing good did. */

import type { Attempt, Message } from '@/api/types';

/** Which messages are listed: all, those that reached nobody on any way, or those of a state. */
export type Shown = '' | 'undelivered' | Message['state'];
export const SHOWN: readonly Shown[] = ['', 'undelivered', 'failed', 'queued', 'sent', 'delivered', 'read', 'acknowledged', 'superseded'];

export function shownOf(text: unknown): Shown {
  return SHOWN.find((shown) => shown === text) ?? '';
}

/** Somebody has to see to it: no way to the recipient works, and he has not acknowledged by another one. */
export function isTrouble(message: Message): boolean {
  if (message.state === 'failed') return true;
  return message.undelivered_at !== null && message.state === 'queued';
}

/** When it came to stand as it does. */
export function sinceOf(message: Message): string {
  const { acknowledged_at, read_at, delivered_at, failed_at, sent_at, created_at } = message;
  return acknowledged_at ?? read_at ?? delivered_at ?? failed_at ?? sent_at ?? created_at;
}

export interface Recipient {
  /** What was sent last, and not taken back. */
  last: Message;
  /** How often he was written to. */
  times: number;
}

/** Who has been told: each person once, those who were not reached first, else who was told last. */
export function recipientsOf(messages: readonly Message[]): Recipient[] {
  const recipients = new Map<string, Recipient>();
  for (const message of [...messages].sort((one, other) => other.id - one.id)) {
    const known = recipients.get(message.contact);
    if (known === undefined) recipients.set(message.contact, { last: message, times: 1 });
    else {
      known.times += 1;
      if (known.last.state === 'superseded' && message.state !== 'superseded') known.last = message;
    }
  }
  return [...recipients.values()].sort((one, other) => Number(isTrouble(other.last)) - Number(isTrouble(one.last)));
}

export interface Run {
  first: Attempt;
  last: Attempt;
  count: number;
}

/** Tries after each other that came to the same by the same channel are told as one. */
export function runsOf(tries: readonly Attempt[]): Run[] {
  const runs: Run[] = [];
  for (const attempt of tries) {
    const run = runs.at(-1);
    const same = run?.last.channel === attempt.channel && run.last.ok === attempt.ok && run.last.error === attempt.error;
    if (run !== undefined && same) {
      run.last = attempt;
      run.count += 1;
    } else runs.push({ first: attempt, last: attempt, count: 1 });
  }
  return runs;
}

export type ErrorKind =
  | 'timeout'
  | 'receipt'
  | 'noAddress'
  | 'expired'
  | 'unauthorised'
  | 'notFound'
  | 'busy'
  | 'refused'
  | 'theirs'
  | 'unreachable'
  | 'unknownHost'
  | 'certificate'
  | 'hangs'
  | 'url'
  | 'service'
  | 'nobody'
  | 'other';

const KINDS: readonly (readonly [RegExp, ErrorKind])[] = [
  [/no receipt in time/, 'receipt'],
  [/no answer within/, 'timeout'],
  [/no address on any channel/, 'noAddress'],
  [/nobody took it in time/, 'expired'],
  [/HTTP 40[13]\b/, 'unauthorised'],
  [/HTTP 404\b/, 'notFound'],
  [/HTTP 429\b/, 'busy'],
  [/HTTP 5\d\d\b/, 'theirs'],
  [/HTTP \d+/, 'refused'],
  [/nobody to send it to/, 'nobody'],
  [/the channel hangs/, 'hangs'],
  [/the URL is none that apprise knows|InvalidURL/, 'url'],
  [/the service refused it or did not answer|in apprise$/, 'service'],
  [/DNS|Name or service|getaddrinfo/i, 'unknownHost'],
  [/Certificate|SSL/i, 'certificate'],
  [/ClientConnector|ServerDisconnected|ClientOS|Connect|refused/i, 'unreachable'],
];

/** What kind of fault the service's words tell of, so that the page can say what to do. */
export function errorKind(error: string): ErrorKind {
  return KINDS.find(([pattern]) => pattern.test(error))?.[1] ?? 'other';
}
