/** What the closed loop allows, as requests: one entry an act, with what its dialog asks for. */

import { rank } from '@/alarms/grades';
import type { Grade, Incident, Signature } from '@/api/types';
import { isSamePerson } from '@/format/names';

export type LoopAct = Incident['next_steps'][number];
/** Acts with a dialog of their own elsewhere, or none. */
export type SignedAct = Exclude<LoopAct, 'attach'>;

export type Result = 'real' | 'false' | 'maintenance' | 'test';
export const RESULTS: readonly Result[] = ['real', 'false', 'maintenance', 'test'];
export const CLASSES = ['IV', 'III', 'II', 'I'] as const;
export type AccidentClass = (typeof CLASSES)[number];
type ReportStep = NonNullable<Incident['accident']>['reports'][number]['step'];

/** What a dialog may ask for beside name and comment. */
export interface Answers {
  person: string;
  result: Result;
  accepted: boolean;
  /** As it was when the dialog opened: what is acknowledged, or the grade decided for. */
  grade: Grade;
  other: number | null;
  accidentClass: AccidentClass;
  dead: number;
  injured: number;
  loss: number;
  step: ReportStep | null;
  /** The second person, who agrees. */
  second: string;
}

interface Plan {
  path: string;
  /** The comment is what the act is about: it cannot be empty. */
  commentRequired: (answers: Answers) => boolean;
  body: (signature: Signature, answers: Answers) => Record<string, unknown>;
}

const never = (): boolean => false;
const always = (): boolean => true;

export const PLANS: Record<SignedAct, Plan> = {
  acknowledge_desk: {
    path: 'acknowledge',
    commentRequired: never,
    body: (signature, { grade }) => ({ ...signature, side: 'desk', grade }),
  },
  acknowledge_enterprise: {
    path: 'acknowledge',
    commentRequired: never,
    body: (signature, { person, grade }) => ({
      ...signature,
      side: 'enterprise',
      grade,
      ...(person.trim() === '' ? {} : { person: person.trim() }),
    }),
  },
  verify: {
    path: 'verify',
    commentRequired: ({ result }) => result !== 'real',
    body: (signature, { result }) => ({ ...signature, result }),
  },
  confirm_verification: { path: 'verify/confirm', commentRequired: never, body: (signature) => ({ ...signature }) },
  reject_verification: { path: 'verify/reject', commentRequired: always, body: (signature) => ({ ...signature }) },
  handle: {
    path: 'handle',
    commentRequired: always,
    body: ({ name, comment }) => ({ name, step: comment, comment: '' }),
  },
  feed_back: { path: 'feedback', commentRequired: always, body: ({ name, comment }) => ({ name, text: comment }) },
  review: {
    path: 'review',
    commentRequired: ({ accepted }) => !accepted,
    body: (signature, { accepted }) => ({ ...signature, accepted }),
  },
  close: { path: 'close', commentRequired: always, body: (signature) => ({ ...signature }) },
  archive: { path: 'archive', commentRequired: never, body: (signature) => ({ ...signature }) },
  decide: {
    path: 'decide',
    commentRequired: always,
    body: ({ name, comment }, { grade }) => ({ name, grade, reason: comment }),
  },
  comment: { path: 'comment', commentRequired: always, body: (signature) => ({ ...signature }) },
  link: {
    path: 'link',
    commentRequired: never,
    body: (signature, { other }) => ({ ...signature, incident: other }),
  },
  declare_accident: {
    path: 'accident',
    commentRequired: always,
    body: (signature, { accidentClass, dead, injured, loss }) => ({
      ...signature,
      accident_class: accidentClass,
      dead,
      injured,
      loss,
    }),
  },
  report_accident: {
    path: 'accident/report',
    commentRequired: never,
    body: (signature, { step }) => ({ ...signature, step }),
  },
  withdraw_accident: {
    path: 'accident/withdraw',
    commentRequired: always,
    body: ({ name, comment }, { second }) => ({ name, second: second.trim(), reason: comment }),
  },
};

/** Which act takes each step that closing waits for. */
const STEP_ACTS: Record<Incident['missing_steps'][number], readonly LoopAct[]> = {
  desk_acknowledged: ['acknowledge_desk'],
  enterprise_acknowledged: ['acknowledge_enterprise'],
  verified: ['confirm_verification', 'verify'],
  handled: ['handle'],
  feedback: ['feed_back'],
  reviewed: ['review'],
};
const ENDS: readonly LoopAct[] = ['close', 'archive', 'report_accident'];

/** The act to stand out: the first that closing waits for, of those `offered`. The enterprise's acknowledgement is its `own` first. */
export function nextAct(
  offered: readonly LoopAct[],
  { missing_steps: missing }: Pick<Incident, 'missing_steps'>,
  own: boolean,
): LoopAct | undefined {
  const awaited = missing.flatMap((step) => STEP_ACTS[step]);
  const [others, mine] = [awaited.filter((act) => act === 'acknowledge_enterprise'), awaited.filter((act) => act !== 'acknowledge_enterprise')];
  return [...(own ? [...others, ...mine] : [...mine, ...others]), ...ENDS].find((act) => offered.includes(act));
}

export interface Refusal {
  reason: 'closed' | 'rose' | 'acknowledged' | 'samePerson' | 'notReady';
  /** Who was first. */
  by: string;
}

/** Why the service has refused an act, where its reason is one that the console has words for. `incident`: as it is by now; undefined: closed. */
export function refusalOf(act: SignedAct, incident: Incident | undefined, answers: Answers, name: string): Refusal | null {
  if (incident === undefined) return { reason: 'closed', by: '' };
  const side = act === 'acknowledge_desk' ? 'desk' : act === 'acknowledge_enterprise' ? 'enterprise' : null;
  if (side !== null) {
    if (rank(incident.grade) > rank(answers.grade)) return { reason: 'rose', by: '' };
    const done = incident[`${side}_acknowledgement`];
    return done === null ? null : { reason: 'acknowledged', by: done.name };
  }
  if (act === 'confirm_verification' && incident.proposal !== null && isSamePerson(incident.proposal.name, name)) {
    return { reason: 'samePerson', by: incident.proposal.name };
  }
  if (act === 'withdraw_accident' && isSamePerson(answers.second, name)) return { reason: 'samePerson', by: name };
  const waits = incident.alarms_open > 0 || incident.missing_steps.length > 0;
  return act === 'close' && waits ? { reason: 'notReady', by: '' } : null;
}
