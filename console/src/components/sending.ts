/** Acts that a person signs: on their way, refused, or done. */

import { reactive, ref, shallowRef, type Ref, type ShallowRef } from 'vue';
import { useI18n } from 'vue-i18n';

import { Problem } from '@/api/client';
import type { Signature } from '@/api/types';
import { useWords } from '@/i18n/words';

export interface Sending {
  /** That it is on its way, in words; empty otherwise. */
  busy: Ref<string>;
  /** Why the last was refused, in words. */
  failure: Ref<string>;
  send: (act: () => Promise<void>) => Promise<void>;
}

export function useSending(): Sending {
  const { t } = useI18n();
  const words = useWords();
  const busy = ref('');
  const failure = ref('');

  async function send(act: () => Promise<void>): Promise<void> {
    busy.value = t('sign.busy');
    failure.value = '';
    try {
      await act();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      failure.value = words.refusal(error);
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
  dialog: { busy: string; failure: string; onSubmit: (signature: Signature) => Promise<void>; onCancel: () => void };
}

/** A page's `SignDialog`: open while there is a subject, closed once `act` was done to it. */
export function useAsking<Subject>(act: (subject: Subject, signature: Signature) => Promise<void>): Asking<Subject> {
  const { busy, failure, send } = useSending();
  const subject: ShallowRef<Subject | null> = shallowRef(null);

  async function onSubmit(signature: Signature): Promise<void> {
    const asked = subject.value;
    if (asked === null) return;
    await send(async () => {
      await act(asked, signature);
      subject.value = null;
    });
  }

  function onCancel(): void {
    subject.value = null;
    failure.value = '';
  }

  return { subject, dialog: reactive({ busy, failure, onSubmit, onCancel }) };
}
