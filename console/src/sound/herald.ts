/** What is to be said aloud, and when again. No DOM, no Vue. */

import { rank } from '@/alarms/grades';
import type { Grade } from '@/api/types';
import type { Subject } from '@/sound/due';

/** [ours] */
export const REPEAT_MS: Readonly<Partial<Record<Grade, number>>> = { red: 20_000, orange: 40_000 };

/** Orange and red are said: each when it comes or turns graver, then the gravest again and again. */
export class Herald {
  private readonly said = new Map<string, { grade: Grade; at: number }>();

  /** What is to be said next; null: nothing now. `subjects`: gravest first. `now`: ms of a clock that never steps. */
  next(subjects: readonly Subject[], now: number): Subject | null {
    const spoken = subjects.filter(({ grade }) => grade in REPEAT_MS);
    const keys = new Set(spoken.map(({ key }) => key));
    for (const key of this.said.keys()) if (!keys.has(key)) this.said.delete(key);
    const fresh = spoken.find(({ key, grade }) => rank(grade) > rank(this.said.get(key)?.grade ?? null));
    if (fresh !== undefined) return fresh;
    const [first] = spoken;
    if (first === undefined) return null;
    const at = this.said.get(first.key)?.at ?? 0;
    return now - at >= (REPEAT_MS[first.grade] ?? Infinity) ? first : null;
  }

  /** It has been said. */
  note(subject: Subject, now: number): void {
    this.said.set(subject.key, { grade: subject.grade, at: now });
  }
}

/** What the browser's speech knows of a voice. */
export interface VoiceLike {
  lang: string;
  localService: boolean;
}

const PREFERRED: Readonly<Record<string, readonly RegExp[]>> = {
  'zh-CN': [/^(zh|cmn)[-_](hans[-_])?cn/i, /^cmn/i, /^zh(?![-_](hk|mo))/i],
  en: [/^en[-_](us|gb)/i, /^en/i],
};

/** The voice for a language. Only one that speaks on this machine: others send what they say to another host. */
export function voiceFor<Voice extends VoiceLike>(voices: readonly Voice[], language: string): Voice | null {
  const local = voices.filter((voice) => voice.localService);
  for (const pattern of PREFERRED[language] ?? []) {
    const found = local.find((voice) => pattern.test(voice.lang));
    if (found !== undefined) return found;
  }
  return null;
}
