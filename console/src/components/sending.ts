/** Acts that a person signs: on their way, refused, or done. */

import { reactive, ref, shallowRef, type Ref, type ShallowRef } from 'vue';
import { useI18n } from 'vue-i18n';

import { Problem } from '@/api/client';
import type { Signature } from '@/api/types';
import { useWords, type Told } from '@/i18n/words';

export interface Sending {
  /** That it is on its way, in words; empty otherwise. */
  busy: Ref<string>;
  /** Why the last was refused. */
  failure: ShallowRef<Told | null>;
  /** `reason`: what the console itself can say of a refusal. */
  send: (act: () => Promise<void>, reason?: (refused: Problem) => string | null) => Promise<void>;
}

export function useSending(): Sending {
  const { t } = useI18n();
  const words = useWords();
  const busy = ref('');
  const failure = shallowRef<Told | null>(null);

  async function send(act: () => Promise<void>, reason?: (refused: Problem) => string | null): Promise<void> {
    busy.value = t('sign.busy');
    failure.value = null;
    try {
      await act();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const unsure = error.status === 503 ? t('problem.perhapsDone') : null;
      failure.value = words.told(error, reason?.(error) ?? unsure);
    } finally {
      busy.value = '';
    }
  }

  return { busy, failure, send };
}

export interface Asking<Subject> {
  /** What a signature is asked for now. */
  subject: ShallowRef<Subject | null>;
  /** What the `SignDialog` is bound to. */
  dialog: { busy: string; failure: Told | null; onSubmit: (signature: Signature) => Promise<void>; onCancel: () => void };
}

/** A page's `SignDialog`: open while there is a subject, closed once `act` was done to it. */
export function useAsking<Subject>(
  act: (subject: Subject, signature: Signature) => Promise<void>,
  reason?: (refused: Problem, name: string) => string | null,
): Asking<Subject> {
  const { busy, failure, send } = useSending();
  const subject: ShallowRef<Subject | null> = shallowRef(null);

  async function onSubmit(signature: Signature): Promise<void> {
    const asked = subject.value;
    if (asked === null) return;
    await send(
      async () => {
        await act(asked, signature);
        subject.value = null;
      },
      (refused) => reason?.(refused, signature.name) ?? null,
    );
  }

  function onCancel(): void {
    subject.value = null;
    failure.value = null;
  }

  return { subject, dialog: reactive({ busy, failure, onSubmit, onCancel }) };
}
