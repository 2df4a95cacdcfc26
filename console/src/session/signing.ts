/** Acts that a person signs: who is signed in shows once more that it is he. */

import { shallowRef } from 'vue';

/** Told the signature, or null by somebody who leaves; null: no act waits to be signed. */
export const asked = shallowRef<((signature: string | null) => void) | null>(null);

/** Opens the dialog, and waits for its answer. */
export function askForSignature(): Promise<string | null> {
  asked.value?.(null);
  return new Promise((resolve) => {
    asked.value = (signature) => {
      asked.value = null;
      resolve(signature);
    };
  });
}
