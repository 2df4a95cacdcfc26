/** Acts that a second person agrees to. */

import { reactive, ref, shallowRef, type Ref, type ShallowRef } from 'vue';

import { Problem } from '@/api/client';
import type { SecondedAct } from '@/api/types';
import { proveSecond } from '@/session/requests';
import { faultOfAct, faultOfProof, missing, NOBODY, proofOf, type Fault, type SecondPerson, type Word } from '@/session/second';
import { account } from '@/session/session';

export interface Seconding {
  person: SecondPerson;
  fault: ShallowRef<Fault | null>;
  /** The service has asked for one, wherever the console did not. */
  demanded: Ref<boolean>;
  /** Does an act of so many requests, with the word of the second person if one is `needed`. */
  send: (needed: boolean, times: number, act: (word: Word) => Promise<void>) => Promise<void>;
}

export function useSeconding(of: SecondedAct): Seconding {
  const person = reactive<SecondPerson>({ name: '', secret: '', byCode: false });
  const fault = shallowRef<Fault | null>(null);
  const demanded = ref(false);

  /** What is wrong of the second person is told; everything else goes on. */
  function take(refused: unknown, faultOf: (refused: Problem) => Fault | null): void {
    fault.value = refused instanceof Problem ? faultOf(refused) : null;
    if (fault.value === null) throw refused;
  }

  async function wordOf(times: number): Promise<Word | null> {
    fault.value = missing(person, account.value !== null);
    if (fault.value !== null) return null;
    if (account.value === null) return { name: person.name.trim(), proof: null };
    try {
      return await proveSecond(proofOf(person, of, times));
    } catch (error) {
      take(error, (refused) => faultOfProof(refused, person.byCode));
      return null;
    }
  }

  async function send(needed: boolean, times: number, act: (word: Word) => Promise<void>): Promise<void> {
    fault.value = null;
    const word = needed ? await wordOf(times) : NOBODY;
    if (word === null) return;
    try {
      await act(word);
    } catch (error) {
      take(error, faultOfAct);
      demanded.value = true;
    }
  }

  return { person, fault, demanded, send };
}
