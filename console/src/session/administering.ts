/** What an administrator does to an account, with what it asks for. */

import type { Account, Role } from '@/api/types';
import { addAccount, disableAccount, enableAccount, givePassword, setRole, type Given } from '@/session/requests';

export const ROLES = ['duty_officer', 'supervisor', 'engineer', 'administrator', 'viewer'] as const satisfies readonly Role[];

export type Act = 'add' | 'password' | 'role' | 'disable' | 'enable';

export interface Answers {
  name: string;
  displayName: string;
  role: Role;
  reason: string;
}

/** What can be done to an account as it stands. */
export function actsOn(account: Account): Exclude<Act, 'add'>[] {
  return account.disabled_at === null ? ['password', 'role', 'disable'] : ['enable'];
}

/** What has not been given, or not as it has to be. */
export type Fault = 'name' | 'displayName' | 'reason' | 'sameRole';

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/i;

export function faultOf(act: Act, answers: Answers, account: Account | null): Fault | null {
  if (act === 'add') {
    if (!NAME.test(answers.name.trim())) return 'name';
    return answers.displayName.trim() === '' ? 'displayName' : null;
  }
  if (act === 'role') return answers.role === account?.role ? 'sameRole' : null;
  return answers.reason.trim() === '' ? 'reason' : null;
}

/** Does it. A first password comes back where one was made. */
export async function administer(act: Act, answers: Answers): Promise<Given | null> {
  const name = answers.name.trim();
  const reason = answers.reason.trim();
  switch (act) {
    case 'add':
      return addAccount(name, answers.displayName.trim(), answers.role);
    case 'password':
      return givePassword(name, reason);
    case 'role':
      await setRole(name, answers.role);
      return null;
    case 'disable':
      await disableAccount(name, reason);
      return null;
    case 'enable':
      await enableAccount(name, reason);
      return null;
  }
}
