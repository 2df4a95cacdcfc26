/** Names, of people and of the service itself. */

/** The service watches itself as an enterprise of this name, and is the actor of what no person does. */
export const OWN = 'anshao';

/** As the service compares names: case, width, spaces and signs make no other one. */
export function isSamePerson(one: string, other: string): boolean {
  const plain = (name: string): string => name.normalize('NFKC').replaceAll(/[^\p{L}\p{N}]/gu, '').toLowerCase();
  return plain(one) === plain(other);
}
