/** Phrases that several components build from the same pieces. */

import { useI18n } from 'vue-i18n';

import { GRADES, graverBefore } from '@/alarms/grades';
import { GOOD, UNCERTAIN } from '@/alarms/quality';
import type { Problem } from '@/api/client';
import type { Alarm, Grade, Incident, Level, Reason, RuleKind } from '@/api/types';
import { ageOf } from '@/format/time';
import { OWN } from '@/format/names';
import { formatValue } from '@/format/numbers';

/** End of the name that the service gives a region's own desk. */
const DESK = '值班席';
/** Tag of a unit's own rules, over several of its tags. */
const UNIT_TAG = '@unit.';
/** Unit of an enterprise that holds the state of its gateways. */
const GATEWAYS = 'gateways';

/** What failed, as an officer is told it. */
export interface Told {
  text: string;
  /** The service's own sentence, which is English, where the text is another. */
  original?: string;
}

export interface Words {
  age: (milliseconds: number) => string;
  ago: (milliseconds: number) => string;
  /** Time left until an instant, or since it has passed. */
  remaining: (at: string, now: number) => string;
  /** `known`: what the console itself can say of it. */
  told: (problem: Problem, known?: string | null) => Told;
  /** `HH 高高限`; a rule of the site's own by its key and level. */
  rule: (key: string, level: Level, kind?: RuleKind) => string;
  /** A tag, or what stands for the conditions of a gateway or a unit as a whole. */
  tag: (of: Pick<Alarm, 'tag'>) => string;
  /** Desks that the service derives are named after their region. */
  desk: (name: string) => string;
  /** `因网关 gw1 离线`, of the path of the causing condition. */
  cause: (path: string) => string;
  reason: (reason: Reason) => string;
  /** All reasons in a line, after what the incident was before: nobody may have seen it then. */
  why: (incident: Pick<Incident, 'grade' | 'peak_grade' | 'reasons'>) => string;
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

function gradeNamed(value: unknown): Grade | undefined {
  return GRADES.find((known) => known === value);
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

  function tagWords(tag: string): string {
    if (tag.startsWith(UNIT_TAG)) return t('own.unit');
    return tag.startsWith('@') ? t('own.gateway', { gateway: tag.slice(1) }) : tag;
  }

  /** Keys that the service gives itself have words; a rule of the site's own is told by its key and kind. */
  function rule(key: string, level: Level, kind?: RuleKind): string {
    if (i18n.te(`rule.${key}`)) return /^[A-Z]{1,2}$/.test(key) ? `${key} ${t(`rule.${key}`)}` : t(`rule.${key}`);
    const what = kind !== undefined && i18n.te(`kind.${kind}`) ? t(`kind.${kind}`) : t(`level.${level}`);
    return `${key} ${what}`;
  }

  function fieldName(path: string): string {
    const last = path.split('.').at(-1) ?? '';
    return known(`problem.field.${last}`, known(`tuning.figure.${last}`, path));
  }

  function ofStatus({ status, title, fields }: Problem): string {
    const names = new Set(fields.map(fieldName));
    if (status === 400 && names.size > 0) return t('problem.fields', { fields: [...names].join(t('loop.comma')) });
    return known(`problem.status.${status}`, t('problem.other', { status, title }));
  }

  function told(problem: Problem, reason: string | null = null): Told {
    const { status, detail } = problem;
    if (status === 0) return { text: t('problem.offline') };
    if (problem.code === 'signature_needed') return { text: t('signature.left') };
    if (reason === null && i18n.locale.value === 'en' && detail !== '') return { text: detail };
    return { text: reason ?? ofStatus(problem), original: detail };
  }

  function reasonWords(reason: Reason): string {
    const named = Object.fromEntries(Object.entries(reason.params).map(([name, value]) => [name, parameter(value)]));
    const { tags } = reason.params;
    if (Array.isArray(tags)) named.tags = tags.map((tag) => tagWords(String(tag))).join(', ');
    for (const name of ['grade', 'from', 'highest']) {
      const grade = gradeNamed(reason.params[name]);
      if (grade !== undefined) named[name] = t(`grade.${grade}`);
    }
    // A site's own grading table has rows that no message knows, and may say them itself.
    const said = reason.params[i18n.locale.value === 'en' ? 'en' : 'zh'];
    if (typeof said === 'string') return said;
    const key = `reasons.${reason.rule}`;
    if (i18n.te(key)) return t(key, named);
    const params = Object.values(named).join(' · ');
    return t('reasons.unknown', { rule: reason.rule }) + (params === '' ? '' : t('reasons.params', { params }));
  }

  return {
    known,
    enterprise,
    unit,
    place: (of) => `${enterprise(of.enterprise, of.enterprise_name)} · ${unit(of.enterprise, of.unit, of.unit_name)}`,
    description: (of) => (of.enterprise === OWN ? known(`own.points.${of.tag}`, of.description) : of.description),
    age,
    ago: (milliseconds) => t('age.ago', { age: age(milliseconds) }),
    remaining(at, now) {
      const left = Date.parse(at) - now;
      return left >= 0 ? t('loop.left', { age: age(left) }) : t('loop.over', { age: age(-left) });
    },
    told,
    rule,
    desk: (name) => (name.endsWith(DESK) ? t('handover.deskOf', { region: name.slice(0, -DESK.length) }) : name),
    tag: ({ tag }) => tagWords(tag),
    cause(path) {
      const [, tag = '', key = ''] = path.replace(/^drill:\d+:/, '').split('/');
      if (key === 'LINK') return t('cause.link', { gateway: tag.replace(/^@/, '') });
      return t('cause.other', { what: `${tag} ${known(`rule.${key}`, key)}` });
    },
    reason: reasonWords,
    why(incident) {
      const before = graverBefore(incident);
      const peak = before === null ? [] : [t('incident.peak', { grade: t(`grade.${before}`) })];
      return [...peak, ...incident.reasons.map(reasonWords)].join(' · ');
    },
    quality(quality, reason = 0) {
      const word = t(quality >= GOOD ? 'quality.good' : quality >= UNCERTAIN ? 'quality.uncertain' : 'quality.bad');
      return reason === 0 ? word : `${word} · ${known(`quality.reason.${reason}`, String(reason))}`;
    },
  };
}
