/** Sends what the closed loop's dialogs have gathered. */

import { postSeconded, upload } from '@/api/client';
import type { Incident, Signature } from '@/api/types';
import { PLANS, type Answers, type SignedAct } from '@/incidents/acts';

/** `proof`: of the second person, where an account has given one. */
export function perform(id: number, act: SignedAct, signature: Signature, answers: Answers, proof: string | null): Promise<Incident> {
  const plan = PLANS[act];
  return postSeconded(`incidents/${id}/${plan.path}`, plan.body(signature, answers), proof);
}

/** Puts a photo or a PDF document beside an incident. */
export function attach(id: number, name: string, file: File): Promise<unknown> {
  const form = new FormData();
  form.set('name', name);
  form.set('file', file);
  return upload(`incidents/${id}/attachments`, form);
}
