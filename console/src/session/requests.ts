/** Requests about who is signed in, and about accounts. */

import { get, post, remove } from '@/api/client';
import type { Account, Role, SessionState } from '@/api/types';
import type { Word } from '@/session/second';

export interface SignIn {
  name: string;
  password: string;
  code: string | null;
}

export interface Given {
  account: Account;
  /** Told this once. */
  first_password: string;
}

/** A role, and whose enterprises are seen: a region's, one; neither: the whole site's. */
export interface Standing {
  role: Role;
  region: string | null;
  enterprise: string | null;
}

export function fetchSession(): Promise<SessionState> {
  return get('session');
}

export function beginSession(by: SignIn): Promise<SessionState> {
  return post('session', by);
}

export function endSession(): Promise<unknown> {
  return remove('session');
}

export function changePassword(password: string, next: string): Promise<Account> {
  return post('session/password', { password, new_password: next });
}

/** A signature for the next act: by the password, or by a one-time code. */
export async function signAct(by: { password: string } | { code: string }): Promise<string> {
  return (await post<{ signature: string }>('session/signature', by)).signature;
}

/** A second person proves that it is he. */
export async function proveSecond(by: Record<string, unknown>): Promise<Word> {
  const { name, second } = await post<{ name: string; second: string }>('session/second', by);
  return { name, proof: second };
}

/** A secret for one-time codes; it counts once a code of it was confirmed. */
export function beginCodes(password: string): Promise<{ secret: string; uri: string }> {
  return post('session/codes', { password });
}

export function confirmCodes(code: string): Promise<Account> {
  return post('session/codes/confirm', { code });
}

export function endCodes(password: string): Promise<Account> {
  return post('session/codes/end', { password });
}

export async function fetchAccounts(): Promise<Account[]> {
  return (await get<{ items: Account[] }>('accounts')).items;
}

export function addAccount(name: string, displayName: string, as: Standing): Promise<Given> {
  return post('accounts', { name, display_name: displayName, ...as });
}

function of(name: string, word: string): string {
  return `accounts/${encodeURIComponent(name)}/${word}`;
}

export function givePassword(name: string, reason: string): Promise<Given> {
  return post(of(name, 'password'), { reason });
}

export function setRole(name: string, as: Standing, reason: string): Promise<Account> {
  return post(of(name, 'role'), { ...as, reason });
}

export function disableAccount(name: string, reason: string): Promise<Account> {
  return post(of(name, 'disable'), { reason });
}

export function enableAccount(name: string, reason: string): Promise<Account> {
  return post(of(name, 'enable'), { reason });
}
