/** Requests about who is signed in, and about accounts. */

import { get, post, remove } from '@/api/client';
import type { Account, Role, SessionState } from '@/api/types';

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

export function addAccount(name: string, displayName: string, role: Role): Promise<Given> {
  return post('accounts', { name, display_name: displayName, role });
}

function of(name: string, word: string): string {
  return `accounts/${encodeURIComponent(name)}/${word}`;
}

export function givePassword(name: string, reason: string): Promise<Given> {
  return post(of(name, 'password'), { reason });
}

export function setRole(name: string, role: Role): Promise<Account> {
  return post(of(name, 'role'), { role });
}

export function disableAccount(name: string, reason: string): Promise<Account> {
  return post(of(name, 'disable'), { reason });
}

export function enableAccount(name: string, reason: string): Promise<Account> {
  return post(of(name, 'enable'), { reason });
}
