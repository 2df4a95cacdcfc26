/** What an administrator does to an account, with what it asks for. */

import type { Account, Role } from '@/api/types';
import { addAccount, disableAccount, enableAccount, givePassword, setRole, type Given, type Standing } from '@/session/requests';

export const ROLES = ['duty_officer', 'supervisor', 'engineer', 'enterprise', 'administrator', 'viewer'] as const satisfies readonly Role[];

export type Act = 'add' | 'password' | 'role' | 'disable' | 'enable';

export interface Answers {
  name: string;
  displayName: string;
  role: Role;
  /** `region:CODE`, `enterprise:ID`; empty: the whole site. */
  bound: string;
  reason: string;
}

/** What a role may be bound to. */
export function bindings(role: Role): { site: boolean; regions: boolean; enterprises: boolean } {
  return { site: role !== 'enterprise', regions: role !== 'enterprise' && role !== 'administrator', enterprises: role !== 'administrator' };
}

export function boundOf({ region, enterprise }: Pick<Standing, 'region' | 'enterprise'>): string {
  if (region !== null) return `region:${region}`;
  return enterprise === null ? '' : `enterprise:${enterprise}`;
}

/** As it is sent; what the role cannot be bound to is left out. */
export function standingOf({ role, bound }: Pick<Answers, 'role' | 'bound'>): Standing {
  const [kind = '', id = ''] = bound.split(/:(.*)/s);
  const may = bindings(role);
  return { role, region: kind === 'region' && may.regions ? id : null, enterprise: kind === 'enterprise' && may.enterprises ? id : null };
}

/** What can be done to an account as it stands. */
export function actsOn(account: Account): Exclude<Act, 'add'>[] {
  return account.disabled_at === null ? ['password', 'role', 'disable'] : ['enable'];
}

/** What has not been given, or not as it has to be. */
export type Fault = 'name' | 'displayName' | 'reason' | 'sameRole' | 'enterprise';

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/i;

export function faultOf(act: Act, answers: Answers, account: Account | null): Fault | null {
  const standing = standingOf(answers);
  if ((act === 'add' || act === 'role') && standing.role === 'enterprise' && standing.enterprise === null) return 'enterprise';
  if (act === 'add') {
    if (!NAME.test(answers.name.trim())) return 'name';
    return answers.displayName.trim() === '' ? 'displayName' : null;
  }
  if (act === 'role' && account !== null && standing.role === account.role && boundOf(standing) === boundOf(account)) return 'sameRole';
  return answers.reason.trim() === '' ? 'reason' : null;
}

/** Does it. A first password comes back where one was made. */
export async function administer(act: Act, answers: Answers): Promise<Given | null> {
  const name = answers.name.trim();
  const reason = answers.reason.trim();
  switch (act) {
    case 'add':
      return addAccount(name, answers.displayName.trim(), standingOf(answers));
    case 'password':
      return givePassword(name, reason);
    case 'role':
      await setRole(name, standingOf(answers), reason);
      return null;
    case 'disable':
      await disableAccount(name, reason);
      return null;
    case 'enable':
      await enableAccount(name, reason);
      return null;
  }
}
