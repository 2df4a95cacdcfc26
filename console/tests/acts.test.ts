import { describe, expect, it } from 'vitest';

import { floodOf } from '@/alarms/floods';
import type { Incident } from '@/api/types';
import { nextAct, PLANS, refusalOf, type Answers, type LoopAct } from '@/incidents/acts';
import { cardSource, cardText } from '@/incidents/cards';

const signature = { name: '王芳', comment: '现场已核实' };
const answers: Answers = {
  person: ' 赵刚 ',
  result: 'false',
  accepted: false,
  grade: 'red',
  other: 4,
  accidentClass: 'III',
  dead: 3,
  injured: 0,
  loss: 12,
  step: 'to_county',
  second: ' 张强 ',
};

describe('the act that stands out', () => {
  const desk: LoopAct[] = ['acknowledge_desk', 'acknowledge_enterprise', 'verify', 'handle', 'attach', 'feed_back', 'review'];

  it('is what closing waits for, never what was done already', () => {
    const missing_steps: Incident['missing_steps'] = ['desk_acknowledged', 'enterprise_acknowledged', 'verified', 'handled', 'reviewed'];
    expect(nextAct(desk, { missing_steps }, false)).toBe('acknowledge_desk');
    expect(nextAct(desk, { missing_steps: ['handled', 'feedback', 'reviewed'] }, false)).toBe('handle');
    expect(nextAct(desk, { missing_steps: ['reviewed'] }, false)).toBe('review');
    expect(nextAct(['attach', 'review', 'close'], { missing_steps: [] }, false)).toBe('close');
    expect(nextAct(['verify', 'confirm_verification'], { missing_steps: ['verified'] }, false)).toBe('confirm_verification');
  });

  it('is the acknowledgement of the enterprise for its own people, and last for a desk', () => {
    const missing_steps: Incident['missing_steps'] = ['enterprise_acknowledged', 'verified'];
    expect(nextAct(desk, { missing_steps }, false)).toBe('verify');
    expect(nextAct(desk, { missing_steps }, true)).toBe('acknowledge_enterprise');
    expect(nextAct(['acknowledge_enterprise', 'attach'], { missing_steps }, false)).toBe('acknowledge_enterprise');
    expect(nextAct(['attach', 'comment'], { missing_steps: ['verified'] }, true)).toBeUndefined();
  });
});

describe('acts of the closed loop', () => {
  it('send what the service asks for', () => {
    const body = (act: keyof typeof PLANS): unknown => PLANS[act].body(signature, answers);
    expect(body('acknowledge_desk')).toEqual({ ...signature, side: 'desk', grade: 'red' });
    expect(body('acknowledge_enterprise')).toEqual({
      ...signature,
      side: 'enterprise',
      grade: 'red',
      person: '赵刚',
    });
    expect(body('verify')).toEqual({ ...signature, result: 'false' });
    expect(body('handle')).toEqual({ name: '王芳', step: '现场已核实', comment: '' });
    expect(body('feed_back')).toEqual({ name: '王芳', text: '现场已核实' });
    expect(body('review')).toEqual({ ...signature, accepted: false });
    expect(body('decide')).toEqual({ name: '王芳', grade: 'red', reason: '现场已核实' });
    expect(body('link')).toEqual({ ...signature, incident: 4 });
    expect(body('declare_accident')).toEqual({ ...signature, accident_class: 'III', dead: 3, injured: 0, loss: 12 });
    expect(body('withdraw_accident')).toEqual({ name: '王芳', second: '张强', reason: '现场已核实' });
    expect(body('report_accident')).toEqual({ ...signature, step: 'to_county' });
  });

  it('name no person of the enterprise where it acknowledges itself', () => {
    expect(PLANS.acknowledge_enterprise.body(signature, { ...answers, person: '  ' })).toEqual({
      ...signature,
      side: 'enterprise',
      grade: 'red',
    });
  });

  it('ask for words where they matter', () => {
    expect(PLANS.verify.commentRequired(answers)).toBe(true);
    expect(PLANS.verify.commentRequired({ ...answers, result: 'real' })).toBe(false);
    expect(PLANS.review.commentRequired(answers)).toBe(true);
    expect(PLANS.review.commentRequired({ ...answers, accepted: true })).toBe(false);
    expect(PLANS.close.commentRequired(answers)).toBe(true);
  });
});

describe('a refusal of the closed loop', () => {
  const incident = {
    grade: 'orange',
    desk_acknowledgement: null,
    enterprise_acknowledgement: null,
    proposal: { name: '李 敏' },
    alarms_open: 0,
    missing_steps: [],
  } as unknown as Incident;
  const done = { name: '李敏', at: '', comment: '', recorded_by: null };
  const reason = (act: keyof typeof PLANS, change: Partial<Incident> = {}, given: Partial<Answers> = {}): unknown =>
    refusalOf(act, { ...incident, ...change }, { ...answers, ...given }, '李敏')?.reason ?? null;

  it('has words where the console knows the reason', () => {
    expect(refusalOf('verify', undefined, answers, '王芳')?.reason).toBe('closed');
    expect(reason('acknowledge_desk', { desk_acknowledgement: done }, { grade: 'yellow' })).toBe('rose');
    expect(reason('acknowledge_desk', { desk_acknowledgement: done })).toBe('acknowledged');
    expect(reason('acknowledge_enterprise', { desk_acknowledgement: done })).toBeNull();
    expect(reason('confirm_verification')).toBe('samePerson');
    expect(reason('confirm_verification', { proposal: null })).toBeNull();
    expect(reason('withdraw_accident', {}, { second: '李敏' })).toBe('samePerson');
    expect(reason('close', { alarms_open: 2 })).toBe('notReady');
    expect(reason('close', { missing_steps: ['feedback'] })).toBe('notReady');
    expect(reason('close')).toBeNull();
    expect(reason('review', { alarms_open: 2 })).toBeNull();
  });
});

describe('a response card', () => {
  it('is shown in the language of the page where it has both', () => {
    const text = '\n# 硫化氢\n撤离\n\n---\n\n# Hydrogen sulphide\nLeave\n';
    expect(cardText(text, 'zh-CN')).toBe('# 硫化氢\n撤离');
    expect(cardText(text, 'en')).toBe('# Hydrogen sulphide\nLeave');
  });

  it('says whence it comes in the language of the page', () => {
    expect(cardSource('安哨草案 / Our draft', 'en')).toBe('Our draft');
    expect(cardSource('安哨草案 / Our draft', 'zh-CN')).toBe('安哨草案');
    expect(cardSource('GB 39496', 'en')).toBe('GB 39496');
  });

  it('is shown whole otherwise', () => {
    for (const text of ['# 一\n\n---\n\n二', '# 一', '# 一\n---\n# 二\n---\n# 三']) expect(cardText(text, 'en')).toBe(text);
  });
});

describe('the flood of a console', () => {
  const desk = {
    id: 'county',
    name: '县',
    regions: ['370783'],
    rate: 12,
    flood_began_at: '2026-06-08T02:30:00.000Z',
    unattended_since: null,
    input_at: null,
    handovers_unsigned: 0,
  };

  it("is its own desk's, or the busiest where it stands at none", () => {
    const calm = { ...desk, id: 'quiet', flood_began_at: null, rate: 30 };
    const city = { ...desk, id: 'city', rate: 20 };
    expect(floodOf([desk, calm, city], '')?.id).toBe('city');
    expect(floodOf([desk, calm, city], 'county')?.id).toBe('county');
    expect(floodOf([desk, calm, city], 'quiet')).toBeNull();
  });
});
