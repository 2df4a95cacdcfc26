/** The rules for passwords, told before the service refuses one. They are the service's (docs/accounts.md). */

export const SHORTEST = 10;
export const LONGEST = 200;

export interface Rule {
  key: 'length' | 'name' | 'letters' | 'other' | 'same';
  kept: boolean;
}

/** All rules, and which of them a new password keeps by now. `again`: typed a second time. */
export function rulesOf(password: string, again: string, present: string, name: string): Rule[] {
  const lower = password.toLowerCase();
  // Letters as the service counts them: not UTF-16 units.
  const { length } = Array.from(password);
  return [
    { key: 'length', kept: length >= SHORTEST && length <= LONGEST },
    { key: 'name', kept: length > 0 && !lower.includes(name.toLowerCase()) },
    { key: 'letters', kept: new Set(lower).size >= Math.floor(SHORTEST / 2) },
    { key: 'other', kept: length > 0 && password !== present },
    { key: 'same', kept: length > 0 && password === again },
  ];
}
