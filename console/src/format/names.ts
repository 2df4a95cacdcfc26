/** Names of people. */

/** As the service compares names: case, width, spaces and signs make no other one. */
export function isSamePerson(one: string, other: string): boolean {
  const plain = (name: string): string => name.normalize('NFKC').replaceAll(/[^\p{L}\p{N}]/gu, '').toLowerCase();
  return plain(one) === plain(other);
}
