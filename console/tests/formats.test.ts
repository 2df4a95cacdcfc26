import { describe, expect, it } from 'vitest';

import { isToken, tokenOfFragment } from '@/api/token';
import {
  formatBytes,
  formatCount,
  formatDecisive,
  formatLimit,
  formatUnit,
  formatValue,
  limitUnit,
  NOTHING,
} from '@/format/numbers';
import { ageOf, moment, zoneOf } from '@/format/time';
import { actorOf } from '@/i18n/actor';
import { withoutKey } from '@/i18n/keys';

import { entry } from './samples';

describe('numbers', () => {
  it('gives a value the decimals that it deserves', () => {
    expect([2895.34, 21.2, 0.4101, 0, -12.345].map(formatValue)).toEqual(['2895.3', '21.20', '0.410', '0.000', '-12.35']);
    expect([null, undefined, NaN].map(formatValue)).toEqual([NOTHING, NOTHING, NOTHING]);
    expect(formatValue(1.5e7)).toBe('1.50e+7');
  });

  it('writes units as an engineer does', () => {
    expect(['mg/m3', 'degC', 'm3/h', 'kPa', 'm30'].map(formatUnit)).toEqual(['mg/m³', '°C', 'm³/h', 'kPa', 'm30']);
  });

  it('writes limits with the side they are on, and rates per minute', () => {
    expect(formatLimit('high', 20)).toBe('≥ 20');
    expect(formatLimit('low', 19.5)).toBe('≤ 19.5');
    expect(formatLimit('rise', 5 / 60)).toBe('↑ ≥ 5');
    expect(limitUnit('rise', 'mg/m3')).toBe('mg/m³/min');
    expect(formatDecisive('rise', 0.1)).toBe('6.00');
    expect(formatDecisive('high', 0.1)).toBe('0.100');
    expect(formatLimit('stale', 0)).toBe('');
    expect(formatLimit('high', null)).toBe('');
  });

  it('writes amounts', () => {
    expect([0, 999, 1234567].map(formatCount)).toEqual(['0', '999', '1\u2009234\u2009567']);
    expect([52, 8e9].map(formatBytes)).toEqual(['52 B', '8.0 GB']);
  });
});

describe('times', () => {
  it('says an age in two units at most', () => {
    expect([-5, 59_999, 185_000, 3_720_000, 183_600_000].map((ms) => ageOf(ms))).toEqual([
      { key: 'seconds', params: { a: 0, b: '' } },
      { key: 'seconds', params: { a: 59, b: '' } },
      { key: 'minutes', params: { a: 3, b: '05' } },
      { key: 'hours', params: { a: 1, b: '02' } },
      { key: 'days', params: { a: 2, b: '3' } },
    ]);
  });

  it('leaves the date out only for today', () => {
    const now = new Date(2026, 5, 8, 12, 0, 0).getTime();
    expect(moment(new Date(2026, 5, 8, 4, 5, 6).getTime(), now)).toBe('04:05:06');
    expect(moment(new Date(2026, 5, 7, 23, 59, 59).getTime(), now)).toBe('2026-06-07 23:59:59');
    expect(zoneOf(now)).toMatch(/^UTC[+-]\d{1,2}(:\d\d)?$/);
  });
});

describe('token', () => {
  it('is taken from the fragment', () => {
    expect(tokenOfFragment('#token=abc-123_x')).toBe('abc-123_x');
    expect(tokenOfFragment('#/token=abc')).toBe('abc');
    expect(tokenOfFragment('#token=a%2Db&x=1')).toBe('a-b');
    expect(tokenOfFragment('#/incidents/3')).toBeNull();
    expect(tokenOfFragment('#token=%zz')).toBeNull();
    expect(tokenOfFragment('#token=a%20b')).toBeNull();
  });

  it('is only what a header and a subprotocol can carry', () => {
    expect(isToken('aZ09-._~')).toBe(true);
    expect(['', 'a b', 'a,b', 'a/b', '令牌'].map(isToken)).toEqual([false, false, false, false, false]);
  });
});

describe('who signed', () => {
  it('is the person, else the caller, else nobody', () => {
    expect(actorOf(entry({ actor: 'county duty desk', data: { name: '王芳' } }))).toBe('王芳');
    expect(actorOf(entry({ actor: 'county duty desk' }))).toBe('county duty desk');
    expect(actorOf(entry())).toBeNull();
  });
});

describe('labels without keys', () => {
  it('takes away what a label says of a key, and nothing else', () => {
    expect(['取消（Esc）', '提交（Ctrl+Enter）', 'Submit (Enter)', '全部确认（3）', 'Keyboard and signs (?)'].map(withoutKey)).toEqual([
      '取消', '提交', 'Submit', '全部确认（3）', 'Keyboard and signs (?)',
    ]);
  });
});
