/** Figures of rules as an engineer reads and edits them, and as the API takes them. */

import type { ChangedRule, RuleFigures, TuningRule, TuningTag } from '@/api/types';
import { isRate, limitUnit } from '@/format/numbers';

/** Names of the API, in the order in which they are shown. */
export const FIGURES = ['setpoint', 'deadband', 'on_delay_ms', 'off_delay_ms', 'window_ms'] as const;
export type Figure = (typeof FIGURES)[number];
/** What is tried of a rule, in the API's units. A figure that is left out stays as it is. */
export type Draft = Partial<Record<Figure, number>>;
/** By the rule's key. Rules of which nothing changes are left out. */
export type Drafts = Readonly<Record<string, Draft>>;

type Kind = Pick<TuningRule, 'kind'>;

function isTime(figure: Figure): boolean {
  return figure.endsWith('_ms');
}

/** The unit that a figure is shown in; `seconds`: the word for them. Rates come with and without their `/s`. */
export function unitOf(rule: Pick<TuningRule, 'kind' | 'engineering_unit'>, figure: Figure, seconds: string): string {
  if (isTime(figure)) return seconds;
  return limitUnit(rule.kind, isRate(rule.kind) ? rule.engineering_unit.replace(/\/s$/, '') : rule.engineering_unit);
}

/** How many of the API's units one shown unit is: times in s for ms, rates per minute for per second. */
function scale(kind: TuningRule['kind'], figure: Figure): number {
  if (isTime(figure)) return 1000;
  return isRate(kind) ? 1 / 60 : 1;
}

/** To the digits that a double keeps through a conversion of units. */
export function shown({ kind }: Kind, figure: Figure, value: number): number {
  return Number((value / scale(kind, figure)).toPrecision(12));
}

/** That two figures differ by no more than a conversion of units does. */
function same(one: number, other: number | null): boolean {
  return other !== null && Math.abs(one - other) <= 1e-12 * Math.abs(other);
}

/** What was typed as the API takes it; null: it is no figure of this sort. */
export function parsed({ kind }: Kind, figure: Figure, text: string): number | null {
  const given = Number(text.trim());
  if (text.trim() === '' || !Number.isFinite(given)) return null;
  if (figure !== 'setpoint' && given < 0) return null;
  const value = given * scale(kind, figure);
  return isTime(figure) ? Math.round(value) : value;
}

/** Figures that a rule has, each with its value. */
export function figuresOf(rule: RuleFigures): [Figure, number][] {
  return FIGURES.flatMap((figure): [Figure, number][] => {
    const value = rule[figure];
    return value === null ? [] : [[figure, value]];
  });
}

/** A rule whose setpoint stands on the trend's own axis. */
export function isLine(rule: TuningRule): rule is TuningRule & { setpoint: number } {
  return (rule.kind === 'high' || rule.kind === 'low') && rule.setpoint !== null;
}

/** The drafts with one figure tried; back at what it is, or null, it is none any more. */
export function withFigure(drafts: Drafts, rule: TuningRule, figure: Figure, value: number | null): Drafts {
  const draft: Draft = { ...drafts[rule.key] };
  if (value === null || same(value, rule[figure])) Reflect.deleteProperty(draft, figure);
  else draft[figure] = value;
  return withDraft(drafts, rule.key, draft);
}

export function withDraft(drafts: Drafts, key: string, draft: Draft): Drafts {
  const others = Object.entries(drafts).filter(([other]) => other !== key);
  return Object.fromEntries(Object.keys(draft).length === 0 ? others : [...others, [key, draft]]);
}

/** What of the drafts still changes something, once the rules may have become others. */
export function stillChanging(drafts: Drafts, rules: readonly TuningRule[]): Drafts {
  let kept: Drafts = {};
  for (const rule of rules) {
    for (const [figure, value] of figuresOf({ ...noFigures, ...drafts[rule.key] })) {
      if (rule[figure] !== null) kept = withFigure(kept, rule, figure, value);
    }
  }
  return kept;
}

const noFigures: RuleFigures = { setpoint: null, deadband: null, on_delay_ms: null, off_delay_ms: null, window_ms: null };

export interface PreviewRequest {
  enterprise: string;
  tag: string;
  from: string;
  to: string;
  rules: ({ key: string } & Draft)[];
}

/** Every rule of the tag, with what is tried of it: those that stay show what they did. */
export function previewOf(tag: TuningTag, drafts: Drafts, [begin, end]: readonly [number, number]): PreviewRequest {
  return {
    enterprise: tag.enterprise,
    tag: tag.tag,
    from: new Date(begin).toISOString(),
    to: new Date(end).toISOString(),
    rules: tag.rules.map(({ key }) => ({ key, ...drafts[key] })),
  };
}

export type Edit = { enterprise: string; tag: string; rule: string } & Draft;

export function editsOf(tag: TuningTag, drafts: Drafts): Edit[] {
  return tag.rules.flatMap(({ key }) => {
    const draft = drafts[key];
    return draft === undefined ? [] : [{ enterprise: tag.enterprise, tag: tag.tag, rule: key, ...draft }];
  });
}

/** What of a change loosens, by the API's names of its own. */
export function loosenedBy(rule: Pick<ChangedRule, 'loosened'>, figure: Figure): boolean {
  return rule.loosened.some((name) => name === figure.replace('_ms', ''));
}

/** The drafts as a change would show them; what loosens the service has yet to say. */
export function proposedRules(tag: TuningTag, drafts: Drafts): ChangedRule[] {
  return tag.rules
    .filter(({ key }) => key in drafts)
    .map((rule) => ({
      enterprise: tag.enterprise,
      tag: tag.tag,
      rule: rule.key,
      path: `${tag.enterprise}/${tag.tag}/${rule.key}`,
      unit: tag.unit,
      kind: rule.kind,
      engineering_unit: rule.engineering_unit,
      description: tag.description,
      before: rule,
      after: { ...rule, ...drafts[rule.key] },
      changed: [],
      loosened: [],
    }));
}
