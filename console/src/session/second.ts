/** The second person of an act, who shows at the console of the first that it is he. */

import type { Problem } from '@/api/client';
import type { SecondedAct } from '@/api/types';
import { answerOf, countdown } from '@/session/attempt';

/** As it is typed. */
export interface SecondPerson {
  /** Of the account; of the person, where the first has no account either. */
  name: string;
  /** The password, or the one-time code. */
  secret: string;
  byCode: boolean;
}

/** What goes along with an act: the name that was typed, or what was given for a proof. */
export interface Word {
  name: string | null;
  proof: string | null;
}

/** What is wrong with it, and in which field; `key` of its message. */
export interface Fault {
  field: 'name' | 'secret';
  key: `second.${'nameMissing' | 'missing' | 'needed' | 'unfit' | 'same' | 'mustChange' | 'passwordWrong' | 'codeWrong'}` | 'session.waitFor';
  time?: string;
}

export const NOBODY: Word = { name: null, proof: null };

/** `proves`: by an account. */
export function missing({ name, secret }: SecondPerson, proves: boolean): Fault | null {
  if (name.trim() === '') return { field: 'name', key: proves ? 'second.missing' : 'second.nameMissing' };
  return proves && secret === '' ? { field: 'secret', key: 'second.missing' } : null;
}

export function proofOf({ name, secret, byCode }: SecondPerson, act: SecondedAct, times: number): Record<string, unknown> {
  return { name: name.trim(), ...(byCode ? { code: secret.trim() } : { password: secret }), act, times };
}

/** Why a proof was refused; null: it is not about who was typed. */
export function faultOfProof(refused: Problem, byCode: boolean): Fault | null {
  const answer = answerOf(refused);
  if (answer.kind === 'wait') return { field: 'secret', key: 'session.waitFor', time: countdown(answer.seconds) };
  if (answer.kind === 'malformed') return { field: 'secret', key: 'second.codeWrong' };
  if (answer.kind !== 'other') return refused.fields.length > 0 ? { field: 'secret', key: byCode ? 'second.codeWrong' : 'second.passwordWrong' } : null;
  if (refused.status === 409) return { field: 'name', key: 'second.mustChange' };
  return refused.status === 400 && refused.fields.includes('name') ? { field: 'name', key: 'second.same' } : null;
}

/** Why an act was, where it is for its second person. */
export function faultOfAct({ code }: Problem): Fault | null {
  if (code === 'second_needed') return { field: 'name', key: 'second.needed' };
  return code === 'second_unfit' ? { field: 'name', key: 'second.unfit' } : null;
}
