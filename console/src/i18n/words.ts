/** Phrases that several components build from the same pieces. */

import { useI18n } from 'vue-i18n';

import { GRADES } from '@/alarms/grades';
import { GOOD, UNCERTAIN } from '@/alarms/quality';
import { Problem } from '@/api/client';
import type { Alarm, Level, Reason } from '@/api/types';
import { ageOf } from '@/format/time';
import { formatValue } from '@/format/numbers';

/** The service watches itself as an enterprise of this name. */
const OWN = 'anshao';
/** Unit of an enterprise that holds the state of its gateways. */
const GATEWAYS = 'gateways';

export interface Words {
  age: (milliseconds: number) => string;
  ago: (milliseconds: number) => string;
  problem: (error: unknown) => string;
  /** `HH 高高限`; a rule of the site's own by its key and level. */
  rule: (key: string, level: Level) => string;
  reason: (reason: Reason) => string;
  quality: (quality: number, reason?: number) => string;
  /** Text of a message that may not exist, such as a name that a newer service has invented. */
  known: (key: string, fallback: string) => string;
  /** Names are the site's own, but for those that the service gives itself. */
  enterprise: (id: string, name: string) => string;
  unit: (enterprise: string, id: string, name: string) => string;
  /** `enterprise · unit`. */
  place: (of: Pick<Alarm, 'enterprise' | 'enterprise_name' | 'unit' | 'unit_name'>) => string;
  description: (of: Pick<Alarm, 'enterprise' | 'tag' | 'description'>) => string;
}

function parameter(value: unknown): string {
  if (Array.isArray(value)) return value.map(parameter).join(', ');
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : formatValue(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export function useWords(): Words {
  const i18n = useI18n();
  const { t } = i18n;

  function known(key: string, fallback: string): string {
    return i18n.te(key) ? t(key) : fallback;
  }

  function age(milliseconds: number): string {
    const found = ageOf(milliseconds);
    return t(`age.${found.key}`, found.params);
  }

  function enterprise(id: string, name: string): string {
    return id === OWN ? t('app.name') : name;
  }

  function unit(of: string, id: string, name: string): string {
    if (id === GATEWAYS) return t('own.gateways');
    return of === OWN ? t('own.service') : name;
  }

  return {
    known,
    enterprise,
    unit,
    place: (of) => `${enterprise(of.enterprise, of.enterprise_name)} · ${unit(of.enterprise, of.unit, of.unit_name)}`,
    description: (of) => (of.enterprise === OWN ? known(`own.points.${of.tag}`, of.description) : of.description),
    age,
    ago: (milliseconds) => t('age.ago', { age: age(milliseconds) }),
    problem(error) {
      if (!(error instanceof Problem)) return String(error);
      if (error.status === 0) return t('problem.offline');
      return t('problem.other', { title: error.title, status: error.status, detail: error.detail });
    },
    rule(key, level) {
      const name = known(`rule.${key}`, t(`level.${level}`));
      return /^[A-Z]{1,2}$/.test(key) || !i18n.te(`rule.${key}`) ? `${key} ${name}` : name;
    },
    reason(reason) {
      const named = Object.fromEntries(Object.entries(reason.params).map(([name, value]) => [name, parameter(value)]));
      const grade = GRADES.find((known) => known === reason.params.grade);
      if (grade !== undefined) named.grade = t(`grade.${grade}`);
      const key = `reasons.${reason.rule}`;
      if (i18n.te(key)) return t(key, named);
      // A site's own grading table has rows that no message knows.
      const params = Object.values(named).join(' · ');
      return t('reasons.unknown', { rule: reason.rule }) + (params === '' ? '' : t('reasons.params', { params }));
    },
    quality(quality, reason = 0) {
      const word = t(quality >= GOOD ? 'quality.good' : quality >= UNCERTAIN ? 'quality.uncertain' : 'quality.bad');
      return reason === 0 ? word : `${word} · ${known(`quality.reason.${reason}`, String(reason))}`;
    },
  };
}
