/** A journal entry in words: what happened, and the facts that belong to it. */

import { useI18n } from 'vue-i18n';

import { GRADES } from '@/alarms/grades';
import type { Entry, Grade, Reason } from '@/api/types';
import { formatCount, formatValue } from '@/format/numbers';
import { moment } from '@/format/time';
import { useWords } from '@/i18n/words';
import { channelName, contactName } from '@/response/people';

export interface Said {
  what: string;
  grade: Grade | null;
  /** The grade before and after. */
  change: { before: Grade; after: Grade } | null;
  drill: boolean;
  tag: string;
  /** The rest, in its order; reasons for a grade are of less weight than what follows. */
  reasons: string;
  facts: string[];
}

export interface Saying {
  said: (entry: Entry, now: number) => Said;
  /** All of it in one line. */
  plain: (entry: Entry, now: number) => string;
}

/** Alarms of a backtest. */
function isCounts(given: unknown): given is { before: number; after: number } {
  return given !== null && typeof given === 'object' && 'before' in given && typeof given.before === 'number' && 'after' in given && typeof given.after === 'number';
}

function gradeNamed(value: unknown): Grade | null {
  return GRADES.find((known) => known === value) ?? null;
}

function plainly(value: unknown): string[] {
  return typeof value === 'string' && value !== '' ? [value] : [];
}

export function useSaying(): Saying {
  const { t } = useI18n();
  const words = useWords();

  function tier(of: number): string {
    return words.known(`loop.tier.${of}`, String(of));
  }

  function known(value: unknown, group: string): string[] {
    return plainly(value).map((name) => words.known(`${group}.${name}`, name));
  }

  /** What else an act or a timer says of itself. */
  function facts(entry: Entry, now: number): string[] {
    const { from, to, side, result, step, text, reason, file, contact, channel, until, due, counts, value, inputs, role, account, comment, second } = entry.data;
    const name = file !== null && typeof file === 'object' && 'name' in file ? file.name : undefined;
    return [
      ...(entry.rule === null ? [] : [words.known(`rule.${entry.rule}`, entry.rule)]),
      // Of several tags there is no one value.
      ...(typeof value === 'number' && !Array.isArray(inputs) ? [t('journal.value', { value: formatValue(value) })] : []),
      ...(typeof from === 'number' && typeof to === 'number' ? [t('journal.tier', { from: tier(from), to: tier(to) })] : []),
      ...known(side, 'loop.side'),
      ...known(result, 'loop.results'),
      ...known(step, 'accident.steps'),
      ...known(role, 'role'),
      ...plainly(account),
      ...plainly(text),
      ...plainly(name),
      ...plainly(second).map((other) => t('journal.second', { name: other })),
      ...plainly(contact).map(contactName),
      ...plainly(channel).map(channelName),
      ...plainly(reason).map((name) => t('journal.reason', { reason: words.known(`journal.reasons.${name}`, name) })),
      ...(isCounts(counts) ? [t('journal.counts', { before: formatCount(counts.before), after: formatCount(counts.after) })] : []),
      ...(typeof due === 'number' ? [t('journal.due', { time: moment(due, now) })] : []),
      ...(typeof until === 'string' || typeof until === 'number' ? [t('journal.until', { time: moment(until, now) })] : []),
      ...plainly(comment).map((each) => t('journal.comment', { comment: each })),
    ];
  }

  function said(entry: Entry, now: number): Said {
    const { grade, from, to, reasons, drill } = entry.data;
    const [before, after] = [gradeNamed(from), gradeNamed(to)];
    return {
      what: words.known(`journal.kinds.${entry.kind}`, entry.kind),
      grade: gradeNamed(grade),
      change: before === null || after === null ? null : { before, after },
      drill: typeof drill === 'number',
      tag: entry.tag === null ? '' : words.tag({ tag: entry.tag }),
      reasons: Array.isArray(reasons) ? (reasons as Reason[]).map((reason) => words.reason(reason)).join(' · ') : '',
      facts: facts(entry, now),
    };
  }

  function plain(entry: Entry, now: number): string {
    const { what, grade, change, tag, reasons, facts: rest } = said(entry, now);
    const name = (of: Grade): string => t(`grade.${of}`);
    const graded = change === null ? (grade === null ? [] : [name(grade)]) : [`${name(change.before)} → ${name(change.after)}`];
    return [what, ...graded, tag, ...rest, reasons].filter((part) => part !== '').join(' · ');
  }

  return { said, plain };
}
