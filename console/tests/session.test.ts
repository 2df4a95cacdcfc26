import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Problem } from '@/api/client';
import type { SessionState } from '@/api/types';
import { answerOf, countdown } from '@/session/attempt';
import { actsOn, boundOf, faultOf, standingOf, type Answers } from '@/session/administering';
import { endingOf, WARNING_MS } from '@/session/ending';
import { rulesOf } from '@/session/passwords';
import { inFours, outlineOf } from '@/session/qr';
import { Session, type Requests } from '@/session/session';

vi.mock('@/preferences/preferences', () => ({ officer: { value: '' }, desk: { value: '' } }));

function state(over: Partial<SessionState> = {}): SessionState {
  const account = {
    name: 'wangfang',
    display_name: '王芳',
    role: 'duty_officer',
    region: '370783',
    enterprise: null,
    must_change: false,
    codes: false,
    made_at: '2026-06-01T00:00:00.000Z',
    disabled_at: null,
  } as const;
  const standing = { role: 'duty_officer', region: '370783', enterprise: null } as const;
  return { name: 'wangfang', ...standing, account, signed: [], csrf: 'c1', ends_at: '2026-06-08T12:00:00.000Z', may: ['get_session'], ...over };
}

function setUp(fetch: Requests['fetch']) {
  const requests = { fetch: vi.fn(fetch), begin: vi.fn(() => Promise.resolve(state({ csrf: 'c2' }))), end: vi.fn(() => Promise.resolve({})) };
  return { session: new Session(requests), requests };
}

const nobody = (): Promise<SessionState> => Promise.reject(new Problem(401, 'Unauthorized', ''));

describe('session', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is asked for at the start, and is out where the service knows nobody', async () => {
    const { session } = setUp(nobody);
    expect(session.stage.value).toBe('asking');
    await session.ask();
    expect(session.stage.value).toBe('out');
    await session.signIn({ name: 'wangfang', password: 'p', code: null });
    expect([session.stage.value, session.csrf]).toEqual(['in', 'c2']);
  });

  it('asks again while the service does not answer, and takes nobody for signed out', async () => {
    const answers = [Promise.reject(new Problem(0, '', '')), Promise.resolve(state())];
    const { session } = setUp(() => answers.shift() ?? nobody());
    await session.ask();
    expect(session.stage.value).toBe('unreachable');
    await vi.advanceTimersByTimeAsync(3_000);
    expect(session.stage.value).toBe('in');
  });

  it('ends, and keeps who it was, when the service knows nobody any more', async () => {
    const { session } = setUp(() => Promise.resolve(state()));
    await session.ask();
    session.refused();
    expect([session.stage.value, session.state.value?.name, session.csrf]).toEqual(['ended', 'wangfang', '']);
    session.refused();
    expect(session.stage.value).toBe('ended');
    await session.signIn({ name: 'wangfang', password: 'p', code: null });
    expect(session.stage.value).toBe('in');
  });

  it('lasts through a service that does not answer', async () => {
    const answers = [Promise.resolve(state()), Promise.reject(new Problem(503, '', ''))];
    const { session } = setUp(() => answers.shift() ?? nobody());
    await session.ask();
    await session.ask();
    expect(session.stage.value).toBe('in');
  });

  it('does an act anew for the same person only', async () => {
    const answers = [state(), state({ csrf: 'c2' }), state({ csrf: 'c3', name: 'lina' }), state({ csrf: 'c3', name: 'lina' })];
    const { session } = setUp(() => Promise.resolve(answers.shift() ?? state()));
    await session.ask();
    expect(await session.renew()).toBe(true);
    expect(await session.renew()).toBe(false);
    expect(await session.renew()).toBe(false);
  });

  it('takes no answer that was asked for before somebody signed in or left', async () => {
    let answer: (told: SessionState) => void = () => undefined;
    const { session } = setUp(() => new Promise((resolve) => (answer = resolve)));
    const asked = session.ask();
    session.leave();
    answer(state());
    await asked;
    expect([session.stage.value, session.state.value]).toEqual(['out', null]);
  });

  it('offers what the role may do, and everything before that is known', async () => {
    const { session } = setUp(() => Promise.resolve(state()));
    expect(session.may('acknowledge_alarm')).toBe(true);
    await session.ask();
    expect([session.may('get_session'), session.may('acknowledge_alarm')]).toEqual([true, false]);
  });

  it('stays signed in where signing out did not arrive', async () => {
    const { session, requests } = setUp(() => Promise.resolve(state()));
    await session.ask();
    requests.end.mockImplementationOnce(() => Promise.reject(new Problem(503, '', '')));
    await expect(session.signOut()).rejects.toThrow(Problem);
    expect(session.stage.value).toBe('in');
    await session.signOut();
    expect(session.stage.value).toBe('out');
  });
});

describe('an attempt to sign in', () => {
  it('is told apart by what the service says', () => {
    expect(answerOf(new Problem(401, '', '', ['code']))).toEqual({ kind: 'code' });
    expect(answerOf(new Problem(401, '', '', ['body']))).toEqual({ kind: 'wrong' });
    expect(answerOf(new Problem(429, '', '', [], 64))).toEqual({ kind: 'wait', seconds: 64 });
    expect(answerOf(new Problem(429, '', ''))).toEqual({ kind: 'wait', seconds: 60 });
    expect(answerOf(new Problem(400, '', '', ['code']))).toEqual({ kind: 'malformed' });
    expect(answerOf(new Problem(503, '', '')).kind).toBe('other');
    expect([countdown(64), countdown(9)]).toEqual(['1:04', '0:09']);
  });
});

describe('the end of a session', () => {
  it('is told ten minutes before', () => {
    const at = '2026-06-08T12:00:00.000Z';
    const end = Date.parse(at);
    expect(endingOf(null, end)).toBeNull();
    expect(endingOf(at, end - WARNING_MS - 1)).toBeNull();
    expect(endingOf(at, end - WARNING_MS)).toEqual({ at, left: WARNING_MS, over: false });
    expect(endingOf(at, end + 1)?.over).toBe(true);
  });
});

describe('a new password', () => {
  const broken = (...typed: Parameters<typeof rulesOf>): string[] => rulesOf(...typed).flatMap(({ key, kept }) => (kept ? [] : [key]));

  it('keeps the rules of the service', () => {
    expect(broken('three calm herons', 'three calm herons', 'old', 'wangfang')).toEqual([]);
    expect(broken('', '', '', 'wangfang')).toEqual(['length', 'name', 'letters', 'other', 'same']);
    expect(broken('I am WangFang!', 'I am WangFang!', 'old', 'wangfang')).toEqual(['name']);
    expect(broken('aaaabbbbcccc', 'aaaabbbbcccc', 'old', 'wangfang')).toEqual(['letters']);
    expect(broken('three calm herons', 'three calm heron', 'three calm herons', 'w-f')).toEqual(['other', 'same']);
    expect(broken('🐦🐧🐤🐣🦉', '🐦🐧🐤🐣🦉', 'old', 'wangfang')).toEqual(['length']);
  });
});

describe('administering', () => {
  const answers: Answers = { name: ' wang.fang ', displayName: '王芳', role: 'viewer', bound: '', reason: '' };
  const { account } = state();

  it('asks for what is missing', () => {
    expect(faultOf('add', answers, null)).toBeNull();
    expect(faultOf('add', { ...answers, name: '王芳' }, null)).toBe('name');
    expect(faultOf('add', { ...answers, displayName: ' ' }, null)).toBe('displayName');
    expect(faultOf('disable', answers, account)).toBe('reason');
    expect(faultOf('role', { ...answers, role: 'duty_officer', bound: 'region:370783' }, account)).toBe('sameRole');
    expect(faultOf('role', { ...answers, role: 'duty_officer', bound: '', reason: 'r' }, account)).toBeNull();
    expect(faultOf('role', { ...answers, role: 'duty_officer', bound: '' }, account)).toBe('reason');
    expect(faultOf('add', { ...answers, role: 'enterprise', bound: 'region:370783' }, null)).toBe('enterprise');
  });

  it('binds a role to what it can be bound to', () => {
    expect(standingOf({ role: 'viewer', bound: 'region:370783' })).toEqual({ role: 'viewer', region: '370783', enterprise: null });
    expect(standingOf({ role: 'enterprise', bound: 'enterprise:a:b' })).toEqual({ role: 'enterprise', region: null, enterprise: 'a:b' });
    expect(standingOf({ role: 'administrator', bound: 'region:370783' })).toEqual({ role: 'administrator', region: null, enterprise: null });
    expect(boundOf(standingOf({ role: 'viewer', bound: '' }))).toBe('');
  });

  it('offers what fits the account', () => {
    if (account === null) throw new Error('no account');
    expect(actsOn(account)).toContain('disable');
    expect(actsOn({ ...account, disabled_at: account.made_at })).toEqual(['enable']);
  });
});

describe('a QR code', () => {
  it('has its finder patterns within a quiet zone', () => {
    const { size, path } = outlineOf('otpauth://totp/AnShao:wangfang?secret=ABCDEFGHIJKLMNOP&issuer=AnShao');
    expect(size).toBeGreaterThan(29);
    expect(path.startsWith('M4 4h1v1h-1z')).toBe(true);
    expect(/M[0-3] /.test(path)).toBe(false);
    expect(inFours('ABCDEFGHIJ')).toBe('ABCD EFGH IJ');
  });
});
