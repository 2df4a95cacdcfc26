import { beforeEach, describe, expect, it, vi } from 'vitest';

import { Problem } from '@/api/client';
import type { Account } from '@/api/types';
import { useSeconding } from '@/components/seconding';
import { proveSecond } from '@/session/requests';
import { faultOfProof } from '@/session/second';

const known = vi.hoisted(() => ({ account: { value: null as Account | null } }));
vi.mock('@/session/session', () => known);
vi.mock('@/session/requests', () => ({ proveSecond: vi.fn() }));
vi.mock('@/preferences/preferences', () => ({ desk: { value: '' } }));

const word = { name: '李敏', proof: 'p' };
const refusal = (status: number, fields: string[] = [], retryAfter: number | null = null): Problem =>
  new Problem(status, '', '', fields, retryAfter);

describe('the second person of an act', () => {
  const act = vi.fn(() => Promise.resolve());

  beforeEach(() => {
    known.account.value = { name: 'wangfang' } as Account;
    act.mockReset();
    vi.mocked(proveSecond).mockReset().mockResolvedValue(word);
  });

  it('proves by an account, for so many acts, before the act is sent', async () => {
    const { person, fault, send } = useSeconding('silence_sound');
    await send(true, 3, act);
    expect(fault.value).toEqual({ field: 'name', key: 'second.missing' });
    person.name = ' limin ';
    await send(true, 3, act);
    expect(fault.value).toEqual({ field: 'secret', key: 'second.missing' });
    expect(proveSecond).not.toHaveBeenCalled();
    person.secret = 'three calm herons';
    await send(true, 3, act);
    expect(proveSecond).toHaveBeenCalledWith({ name: 'limin', password: 'three calm herons', act: 'silence_sound', times: 3 });
    expect(act).toHaveBeenCalledExactlyOnceWith(word);
    [person.byCode, person.secret] = [true, ' 492817 '];
    await send(true, 1, act);
    expect(proveSecond).toHaveBeenLastCalledWith({ name: 'limin', code: '492817', act: 'silence_sound', times: 1 });
    expect(fault.value).toBeNull();
  });

  it('is named, where a token signs, and not asked for where nothing needs two', async () => {
    known.account.value = null;
    const { person, fault, send } = useSeconding('silence_sound');
    await send(true, 1, act);
    expect(fault.value).toEqual({ field: 'name', key: 'second.nameMissing' });
    person.name = '李敏 ';
    await send(true, 1, act);
    expect(act).toHaveBeenLastCalledWith({ name: '李敏', proof: null });
    await send(false, 1, act);
    expect(act).toHaveBeenLastCalledWith({ name: null, proof: null });
    expect(proveSecond).not.toHaveBeenCalled();
  });

  it('is asked for once the service says so, and refusals of the act itself go on', async () => {
    const { fault, demanded, send } = useSeconding('silence_sound');
    const needed = new Problem(403, '', '', [], null, 'second_needed');
    await send(false, 1, () => Promise.reject(needed));
    expect([fault.value?.key, demanded.value]).toEqual(['second.needed', true]);
    const unfit = new Problem(403, '', '', [], null, 'second_unfit');
    await send(false, 1, () => Promise.reject(unfit));
    expect(fault.value?.key).toBe('second.unfit');
    await expect(send(false, 1, () => Promise.reject(refusal(409)))).rejects.toThrow(Problem);
    expect(fault.value).toBeNull();
  });

  it('is told what is wrong, and no service that is away is taken for that', async () => {
    const { person, fault, send } = useSeconding('withdraw_accident');
    [person.name, person.secret] = ['limin', 'x'];
    for (const [refused, field, key] of [
      [refusal(401, ['password']), 'secret', 'second.passwordWrong'],
      [refusal(429, [], 65), 'secret', 'session.waitFor'],
      [refusal(400, ['name']), 'name', 'second.same'],
      [refusal(409), 'name', 'second.mustChange'],
    ] as const) {
      vi.mocked(proveSecond).mockRejectedValueOnce(refused);
      await send(true, 1, act);
      expect(fault.value).toMatchObject({ field, key });
    }
    expect(faultOfProof(refusal(401, ['code']), true)?.key).toBe('second.codeWrong');
    expect(faultOfProof(refusal(400, ['code']), true)?.key).toBe('second.codeWrong');
    expect(faultOfProof(refusal(429, [], 65), false)?.time).toBe('1:05');
    for (const other of [refusal(401), refusal(503), refusal(0)]) {
      vi.mocked(proveSecond).mockRejectedValueOnce(other);
      await expect(send(true, 1, act)).rejects.toThrow(Problem);
    }
    expect(act).not.toHaveBeenCalled();
  });
});
