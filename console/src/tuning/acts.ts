/** What can be done to a change, as requests: one entry an act, with what its dialog asks for. */

import type { RuleChange, Signature } from '@/api/types';
import { isSamePerson } from '@/format/names';

export type ChangeAct = RuleChange['next_acts'][number];

/** In the order of the course; those that end a change last. */
export const ACTS: readonly ChangeAct[] = ['backtest', 'approve', 'shadow', 'apply', 'rollback', 'reject', 'withdraw'];

/** What a dialog may ask for beside name and comment. */
export interface Answers {
  days: number;
  hours: number;
  /** A local time as a field has it; empty: at once. */
  at: string;
}

interface Plan {
  /** The comment is what the act is about: it cannot be empty. */
  commentRequired: boolean;
  nameOnly?: boolean;
  body: (signature: Signature, answers: Answers) => Record<string, unknown>;
}

const signed = (signature: Signature): Record<string, unknown> => ({ ...signature });

export const PLANS: Record<ChangeAct, Plan> = {
  backtest: { commentRequired: false, nameOnly: true, body: ({ name }, { days }) => ({ name, days }) },
  approve: { commentRequired: false, body: signed },
  reject: { commentRequired: true, body: signed },
  withdraw: { commentRequired: false, body: signed },
  shadow: { commentRequired: false, body: (signature, { hours }) => ({ ...signature, hours }) },
  apply: {
    commentRequired: false,
    body: (signature, { at }) => (at === '' ? { ...signature } : { ...signature, at: new Date(at).toISOString() }),
  },
  rollback: { commentRequired: true, body: ({ name, comment }) => ({ name, reason: comment }) },
};

/** The act that takes a change on its way; null: there is none, or none is wanted. */
export function nextAct(change: Pick<RuleChange, 'state' | 'next_acts' | 'missing' | 'moved'>): ChangeAct | null {
  if (change.moved !== null) return null;
  if (change.missing.includes('backtest')) return 'backtest';
  const onwards: ChangeAct[] = change.state === 'shadow' ? ['apply'] : ['approve', 'shadow', 'apply'];
  return onwards.find((act) => change.next_acts.includes(act)) ?? null;
}

const MOST_HOURS = 31 * 24;

/** What is wrong with the answers, by the field's name; null: nothing. */
export function wrongAnswer(act: ChangeAct, { hours, at }: Answers, now: number): 'hours' | 'at' | null {
  if (act === 'shadow' && !(hours > 0 && hours <= MOST_HOURS)) return 'hours';
  if (act === 'apply' && at !== '' && !(Date.parse(at) > now)) return 'at';
  return null;
}

export type Refusal = 'backtest' | 'samePerson' | 'notProposer';

/** Why the service has refused an act, where its reason is one that the console has words for. */
export function refusalOf(act: ChangeAct, change: RuleChange, name: string): Refusal | null {
  if (act === 'approve' && change.moved === null) {
    if (change.missing.includes('backtest')) return 'backtest';
    if (isSamePerson(change.name, name)) return 'samePerson';
  }
  return act === 'withdraw' && !isSamePerson(change.name, name) ? 'notProposer' : null;
}
