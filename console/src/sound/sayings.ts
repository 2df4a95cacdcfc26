/** What sounds, in words: to be spoken, and to be read. */

import { useI18n } from 'vue-i18n';

import type { Silence } from '@/api/types';
import type { Words } from '@/i18n/words';
import type { LiveStore } from '@/live/store';
import type { Subject } from '@/sound/due';

export interface Sayings {
  /** Grade, where, what: as it is spoken. */
  of: (subject: Subject) => string;
  test: () => string;
}

export function useSayings(words: Words): Sayings {
  const { t } = useI18n();

  function what({ alarms: [first], incident }: Subject): string {
    if (first === undefined) return incident === null ? '' : t('sound.say.incident', { id: incident.id });
    const { rule, level, kind } = first;
    const name = `${words.description(first)} ${words.tag(first)}`.trim();
    return t('sound.say.alarm', { tag: name, rule: words.known(`rule.${rule}`, words.rule(rule, level, kind)) });
  }

  function of(subject: Subject): string {
    const { grade, drill, alarms, incident } = subject;
    const at = alarms[0] ?? incident;
    const text = t(subject.key.startsWith('incident:') ? 'sound.say.subject' : 'sound.say.lone', {
      grade: t(`grade.${grade}`),
      enterprise: at === null ? '' : words.enterprise(at.enterprise, at.enterprise_name),
      unit: at === null ? '' : words.unit(at.enterprise, at.unit, at.unit_name),
      what: what(subject),
    });
    const more = alarms.length > 1 ? t('sound.say.more', { n: alarms.length }) : '';
    return (drill ? t('sound.say.drill') : '') + text + more;
  }

  return { of, test: () => t('sound.say.test') };
}

/** Whose sound is off, as it is read. */
export function silencedWords(silence: Silence, live: LiveStore, words: Words): string | null {
  const { scope, target } = silence;
  if (scope === 'desk') {
    const found = live.duty.desks.value.find(({ id }) => id === target);
    return found === undefined ? target : words.desk(found.name);
  }
  if (scope === 'alarm') {
    const alarm = live.register.value.alarm(Number(target));
    return alarm === undefined ? null : `${words.tag(alarm)} · ${words.place(alarm)}`;
  }
  const [enterprise = '', unit = ''] = target.split('/');
  const { directory } = live;
  return `${words.enterprise(enterprise, directory.enterprise(enterprise))} · ${words.unit(enterprise, unit, directory.unit(enterprise, unit))}`;
}
