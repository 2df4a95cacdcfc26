/** What stands in an alarm's row, in words. Worked out once for a record: rows come and go with every turn of the wheel. */

import { useI18n } from 'vue-i18n';
import { useRouter } from 'vue-router';

import { hasSamples } from '@/alarms/states';
import type { Alarm } from '@/api/types';
import { formatDecisive, formatLimit, limitUnit } from '@/format/numbers';
import { useWords } from '@/i18n/words';

export interface RowText {
  grade: string;
  tag: string;
  description: string;
  place: string;
  /** The place in its two parts. */
  enterprise: string;
  unit: string;
  rule: string;
  /** `≥ 20 mg/m³`; empty for rules that have no setpoint. */
  limit: string;
  /** The value at entering; empty where it was of no one tag. */
  entered: string;
  state: string;
  incident: string;
  /** Address of the incident; empty without one. */
  link: string;
  /** For those who hear the row. */
  select: string;
  more: string;
  /** Carries marks: a drill's, first-out, … */
  marked: boolean;
}

/** `of`: the words of one language for an alarm; the same object as long as the alarm's record is the same. */
export function remembered(of: (alarm: Alarm) => RowText): (alarm: Alarm, language: string) => RowText {
  let known = new WeakMap<Alarm, RowText>();
  let spoken = '';
  return (alarm, language) => {
    if (language !== spoken) [known, spoken] = [new WeakMap(), language];
    let text = known.get(alarm);
    if (text === undefined) known.set(alarm, (text = of(alarm)));
    return text;
  };
}

/** By what speaks: one for all rows. */
const makers = new WeakMap<object, (alarm: Alarm) => RowText>();

export function useRowText(): (alarm: Alarm) => RowText {
  const i18n = useI18n();
  const known = makers.get(i18n);
  if (known !== undefined) return known;
  const { t, locale } = i18n;
  const words = useWords();
  const router = useRouter();

  function state({ state: of, suppression }: Alarm): string {
    if (of === 'normal') return t('alarms.gone');
    return suppression === null ? t(`state.${of}`) : t(`suppression.${suppression}`);
  }

  function entered(alarm: Alarm): string {
    const { kind, value, engineering_unit: unit } = alarm;
    if (value === null || !hasSamples(alarm)) return '';
    return t('alarms.entered', { value: `${formatDecisive(kind, value)} ${limitUnit(kind, unit)}` });
  }

  const text = remembered((alarm) => {
    const { kind, setpoint, engineering_unit: unit, tag } = alarm;
    const limit = formatLimit(kind, setpoint);
    return {
      grade: t(`grade.short.${alarm.grade}`),
      tag: words.tag(alarm),
      description: words.description(alarm),
      place: words.place(alarm),
      enterprise: words.enterprise(alarm.enterprise, alarm.enterprise_name),
      unit: words.unit(alarm.enterprise, alarm.unit, alarm.unit_name),
      rule: words.rule(alarm.rule, alarm.level, kind),
      limit: limit === '' ? '' : `${limit} ${limitUnit(kind, unit)}`,
      entered: entered(alarm),
      state: state(alarm),
      incident: alarm.incident === null ? '' : t('alarms.incident', { id: alarm.incident }),
      link: alarm.incident === null ? '' : router.resolve({ name: 'incident', params: { id: alarm.incident } }).href,
      select: t('alarms.selectOne', { tag }),
      more: t('alarms.moreOf', { tag }),
      marked: alarm.first_out || alarm.chattering || alarm.stale || alarm.suppression !== null || alarm.cause !== null || alarm.drill !== null,
    };
  });
  const maker = (alarm: Alarm): RowText => text(alarm, locale.value);
  makers.set(i18n, maker);
  return maker;
}
