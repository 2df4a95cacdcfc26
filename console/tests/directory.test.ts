import { describe, expect, it, vi } from 'vitest';

import type { Attempt, Contact, Message, Plan, Roster, Turn } from '@/api/types';
import { dutiesOf, found, isUnreachable, placeOf, placesOf, postsOf, type Wanted } from '@/response/contacts';
import { ladderOf, placesOf as placesOnLine, spanOf, whoOf } from '@/response/ladder';
import { errorKind, isTrouble, recipientsOf, runsOf, shownOf, sinceOf } from '@/response/messages';
import { calledAt, channelName, contactName, loadPeople, phoneOf } from '@/response/people';
import { clockTime, isNow, mondayOf, weekOf } from '@/response/rosters';

const answers = vi.hoisted(() => ({ contacts: [] as unknown[], channels: [] as unknown[], may: true }));
vi.mock('@/api/endpoints', () => ({ contacts: () => Promise.resolve(answers.contacts) }));
vi.mock('@/response/requests', () => ({ fetchChannels: () => Promise.resolve(answers.channels) }));
vi.mock('@/preferences/preferences', () => ({ desk: { value: '' } }));
vi.mock('@/session/session', () => ({ may: () => answers.may }));

const HOUR = 3_600_000;
const NOON = new Date(2026, 10, 18, 12).getTime(); // a Wednesday
const PLACES = placesOf({
  regions: [{ code: '370783', name: '寿光市', parent: null }],
  enterprises: [{ id: 'works', name: '测试厂', region: '370783', position: null, wind: null, units: [] }],
});

function contact(id: string, given: Partial<Contact> = {}): Contact {
  return {
    id,
    name: id,
    post: 'duty',
    title: '',
    organisation: '',
    enterprise: null,
    region: '370783',
    side: 'desk',
    phone: '',
    mail: '',
    addresses: {},
    language: 'zh',
    quiet: null,
    updated: null,
    stale: false,
    ...given,
  };
}

function turn(begin: number, hours: number, contacts = ['wang']): Turn {
  const [from, to] = [begin, begin + hours * HOUR].map((at) => new Date(at).toISOString());
  return { shift: 'day', name: '白班', begin: from ?? '', end: to ?? '', contacts };
}

function roster(turns: Turn[], given: Partial<Roster> = {}): Roster {
  return { id: 'r', name: '值班', post: 'duty', desk: null, region: '370783', enterprise: null, on_duty: [], turns, ...given };
}

describe('the directory of contacts', () => {
  const wang = contact('wang', { name: '王芳', phone: '138-0000-0001', organisation: '应急管理局', stale: true });
  const zhao = contact('zhao', { name: 'Zhao Gang', post: 'head', enterprise: 'works', side: 'enterprise', phone: '13800000002' });
  const nobody: Wanted = { text: '', side: '', post: '', stale: false };
  const search = (wanted: Partial<Wanted>): string[] =>
    found([wang, zhao], { ...nobody, ...wanted }, PLACES, (post) => (post === 'head' ? '主要负责人' : post)).map(({ id }) => id);

  it('is searched by every word, in name, post, place, organisation and telephone', () => {
    expect(search({ text: '王芳' })).toEqual(['wang']);
    expect(search({ text: 'ｚｈａｏ 测试厂' })).toEqual(['zhao']);
    expect(search({ text: '主要负责人' })).toEqual(['zhao']);
    expect(search({ text: '寿光市 应急' })).toEqual(['wang']);
    expect(search({ text: '13800000001' })).toEqual(['wang']);
    expect(search({ text: '0000-0001' })).toEqual(['wang']);
    expect(search({ text: '王芳 测试厂' })).toEqual([]);
  });

  it('is filtered by side, post and age', () => {
    expect(search({ side: 'enterprise' })).toEqual(['zhao']);
    expect(search({ post: 'duty' })).toEqual(['wang']);
    expect(search({ stale: true })).toEqual(['wang']);
    expect(postsOf([zhao, wang, wang])).toEqual(['duty', 'head']);
  });

  it('names places, and shows codes without their names', () => {
    expect(placeOf(wang, PLACES)).toBe('寿光市');
    expect(placeOf(zhao, PLACES)).toBe('测试厂');
    expect(placeOf(zhao, placesOf(null))).toBe('works');
    expect(placeOf({ enterprise: null, region: null }, PLACES)).toBe('');
  });

  it('tells whom no message can reach', () => {
    expect(isUnreachable(contact('a'))).toBe(true);
    expect(isUnreachable(contact('a', { addresses: { feishu: 'x' } }))).toBe(false);
  });
});

describe('who is on duty', () => {
  it('has the turn of now and the next, the desk before the enterprise', () => {
    const works = roster([turn(NOON + HOUR, 8)], { id: 'works', enterprise: 'works' });
    const desk = roster([turn(NOON - 4 * HOUR, 8), turn(NOON + 4 * HOUR, 12)]);
    const [first, second] = dutiesOf([works, desk], NOON);
    expect([first?.side, first?.now, first?.next]).toEqual(['desk', desk.turns[0], desk.turns[1]]);
    expect([second?.side, second?.now, second?.next]).toEqual(['enterprise', null, works.turns[0]]);
  });
});

describe('the week of a roster', () => {
  it('begins on its Monday', () => {
    expect(new Date(mondayOf(NOON)).getDay()).toBe(1);
    expect(mondayOf(NOON)).toBe(new Date(2026, 10, 16).getTime());
    expect(mondayOf(new Date(2026, 10, 22, 23).getTime())).toBe(mondayOf(NOON));
    expect(mondayOf(NOON, 1)).toBe(new Date(2026, 10, 23).getTime());
  });

  it('has a shift on the day on which it begins, and on the first one that goes on since before', () => {
    const monday = mondayOf(NOON);
    const before = turn(monday - 4 * HOUR, 12);
    const night = turn(monday + 20 * HOUR, 12);
    const past = turn(monday - 24 * HOUR, 12);
    const later = turn(monday + 7 * 24 * HOUR, 12);
    const days = weekOf(monday, [past, before, night, later]);
    expect(days).toHaveLength(7);
    expect(days[0]?.turns).toEqual([before, night]);
    expect(days.slice(1).flatMap(({ turns }) => turns)).toEqual([]);
    expect(isNow(night, monday + 21 * HOUR)).toBe(true);
    expect(isNow(night, monday + 32 * HOUR)).toBe(false);
  });

  it('is told without seconds where there are none', () => {
    expect(clockTime(new Date(NOON).toISOString(), NOON)).toBe('12:00');
    expect(clockTime(new Date(NOON + 5000).toISOString(), NOON)).toBe('12:00:05');
  });
});

describe('a plan as a ladder', () => {
  const plan: Plan = {
    id: 'p',
    name: 'p',
    grades: ['red'],
    regions: [],
    hazards: [],
    acknowledge_ms: 120_000,
    feedback_ms: 1_800_000,
    acknowledged_by: 'both',
    call_back_ms: 120_000,
    repeat_ms: 300_000,
    steps: [
      { who: 'duty@county', by: ['sms'], after_ms: 0, follows: null },
      { who: 'sun-lei', by: [], after_ms: 60_000, follows: 0 },
      { who: 'operator@enterprise', by: [], after_ms: 0, follows: null },
    ],
    default: false,
  };

  it('has what happens in the order of time', () => {
    const rungs = ladderOf(plan);
    expect(rungs.map(({ kind, at }) => [kind, at])).toEqual([
      ['tell', 0],
      ['tell', 60_000],
      ['callBack', 120_000],
      ['acknowledge', 120_000],
      ['repeat', 360_000],
      ['feedback', 1_800_000],
    ]);
    expect(rungs[0]).toMatchObject({ told: [{ who: { post: 'duty', of: 'county' } }, { who: { post: 'operator', of: 'enterprise' } }] });
    expect(rungs[1]).toMatchObject({ told: [{ who: { contact: 'sun-lei' }, ifNot: { post: 'duty', of: 'county' } }] });
    expect(rungs[3]).toMatchObject({ next: [{ from: 'red', to: 'command' }] });
  });

  it('repeats at orange and above only, and has no tier above the city', () => {
    const kinds = (given: Partial<Plan>): string[] => ladderOf({ ...plan, ...given }).map(({ kind }) => kind);
    expect(kinds({ grades: ['blue'] })).not.toContain('repeat');
    expect(kinds({ repeat_ms: null })).not.toContain('repeat');
    expect(kinds({ call_back_ms: null })).not.toContain('callBack');
    const top = ladderOf({ ...plan, grades: ['command'] }).find(({ kind }) => kind === 'acknowledge');
    expect(top).toMatchObject({ next: [{ from: 'command', to: null }] });
  });

  it('tells a post from a contact, and a span in its own unit', () => {
    expect(whoOf('duty@370783')).toEqual({ post: 'duty', of: '370783' });
    expect(whoOf('wang')).toEqual({ contact: 'wang' });
    expect([90_000, 120_000, 7_200_000, 86_400_000].map(spanOf)).toEqual([
      { unit: 'seconds', n: 90 },
      { unit: 'minutes', n: 2 },
      { unit: 'hours', n: 2 },
      { unit: 'days', n: 1 },
    ]);
  });

  it('is drawn from left to right with room between its marks', () => {
    const places = placesOnLine([0, 60_000, 120_000, 120_000, 360_000, 1_800_000], 0.15);
    for (let index = 1; index < places.length; index += 1) {
      expect((places[index] ?? 0) - (places[index - 1] ?? 0)).toBeGreaterThan(0.1);
    }
    expect(Math.max(...places)).toBeLessThanOrEqual(1);
    expect(placesOnLine([0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 0.15).at(-1)).toBe(1);
  });
});

describe('who has been told', () => {
  const to = (id: number, who: string, state: Message['state']): Message => ({ id, contact: who, state, undelivered_at: null }) as Message;

  it('stands once for each person, with what was sent last and not taken back; who was not reached comes first', () => {
    const told = recipientsOf([to(1, 'a', 'delivered'), to(2, 'b', 'failed'), to(3, 'a', 'read'), to(4, 'c', 'sent'), to(5, 'c', 'superseded')]);
    expect(told.map(({ last, times }) => [last.contact, last.state, times])).toEqual([
      ['b', 'failed', 1],
      ['c', 'sent', 2],
      ['a', 'read', 2],
    ]);
  });

  it('is named and telephoned by the directory, and by ids where it may not be read', async () => {
    answers.contacts = [
      contact('head', { name: '孙磊', post: 'head', enterprise: 'works', phone: '3' }),
      contact('control', { name: '中控室', post: 'operator', enterprise: 'works', phone: '1' }),
      contact('silent', { post: 'operator', enterprise: 'works' }),
      contact('wang', { name: '王芳', phone: '9' }),
    ];
    answers.channels = [{ id: 'sms', name: '短信' }];
    await loadPeople();
    expect([contactName('wang'), phoneOf('wang'), channelName('sms'), contactName('gone'), phoneOf('gone')]).toEqual(['王芳', '9', '短信', 'gone', '']);
    expect(calledAt('works').map(({ id }) => id)).toEqual(['control', 'head']);
    answers.may = false;
    await loadPeople();
    expect([contactName('wang'), phoneOf('wang'), channelName('sms')]).toEqual(['wang', '', 'sms']);
  });
});

describe('messages', () => {
  const message = (given: Partial<Message>): Message =>
    ({ state: 'queued', undelivered_at: null, created_at: '1', sent_at: null, delivered_at: null, read_at: null, acknowledged_at: null, failed_at: null, ...given }) as Message;

  it('are in trouble where nobody has them', () => {
    expect(isTrouble(message({}))).toBe(false);
    expect(isTrouble(message({ undelivered_at: '2' }))).toBe(true);
    expect(isTrouble(message({ undelivered_at: '2', state: 'delivered' }))).toBe(false);
    expect(isTrouble(message({ state: 'failed' }))).toBe(true);
  });

  it('stand as they do since the last thing that happened to them', () => {
    expect(sinceOf(message({}))).toBe('1');
    expect(sinceOf(message({ sent_at: '2', delivered_at: '3' }))).toBe('3');
  });

  it('have tries that came to the same told as one', () => {
    const attempt = (at: string, channel: string, error: string | null): Attempt => ({ at, channel, ok: error === null, error });
    const tries = [attempt('1', 'sms', 'x'), attempt('2', 'sms', 'x'), attempt('3', 'mail', 'x'), attempt('4', 'mail', null)];
    expect(runsOf(tries).map(({ first, last, count }) => [first.at, last.at, count])).toEqual([
      ['1', '2', 2],
      ['3', '3', 1],
      ['4', '4', 1],
    ]);
  });

  it('are filtered by what an address may say', () => {
    expect([shownOf('undelivered'), shownOf('failed'), shownOf('x'), shownOf(undefined)]).toEqual(['undelivered', 'failed', '', '']);
  });

  it.each([
    ['sms: no answer within 10 s', 'timeout'],
    ['sms: no receipt in time', 'receipt'],
    ['no address on any channel', 'noAddress'],
    ['nobody took it in time', 'expired'],
    ['sms: HTTP 401: who are you', 'unauthorised'],
    ['HTTP 404: ', 'notFound'],
    ['HTTP 429: slow down', 'busy'],
    ['HTTP 502: bad gateway', 'theirs'],
    ['HTTP 400: no', 'refused'],
    ["ClientConnectorError: Connect call failed ('127.0.0.1', 18998)", 'unreachable'],
    ['ClientConnectorDNSError: Name or service not known', 'unknownHost'],
    ['ClientConnectorCertificateError', 'certificate'],
    ['the channel hangs: earlier tries have not come back', 'hangs'],
    ['the URL is none that apprise knows', 'url'],
    ['the service refused it or did not answer', 'service'],
    ['nobody to send it to: give an address', 'nobody'],
    ['something new', 'other'],
  ])('say what to do: %s', (error, kind) => {
    expect(errorKind(error)).toBe(kind);
  });
});
