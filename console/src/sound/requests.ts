/** Acts on the sound at the service: it keeps who silenced what, why and until when, and ends it. */

import { get, post, postSeconded } from '@/api/client';
import type { Signature, Silence } from '@/api/types';
import type { Word } from '@/session/second';
import type { Target } from '@/sound/due';

/** At most ten minutes, unless the service is configured otherwise. */
export const DURATIONS = ['1min', '3min', '5min', '10min'] as const;
export type Duration = (typeof DURATIONS)[number];

export async function silences(): Promise<Silence[]> {
  return (await get<{ items: Silence[] }>('sound')).items;
}

/** `second`: of somebody else, where something is red. */
export function silence(target: Target, duration: Duration, name: string, second: Word, reason: string): Promise<Silence> {
  return postSeconded('sound/silence', { ...target, duration, name, second: second.name, reason }, second.proof);
}

export function resume(id: number, { name, comment }: Signature): Promise<Silence> {
  return post('sound/resume', { silence: id, name, comment });
}
