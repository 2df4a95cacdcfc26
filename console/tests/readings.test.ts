import { describe, expect, it } from 'vitest';

import { latestReading } from '@/alarms/tagStatus';
import type { Tag } from '@/api/types';
import { Readings } from '@/live/readings';

const START = Date.parse('2026-06-08T02:30:00.000Z');

function at(seconds: number): number {
  return START + seconds * 1000;
}

function reading(seconds: number, v = 1): { enterprise: string; tag: string; v: number; q: number; t: string } {
  return { enterprise: 'huarui', tag: 'GT-101', v, q: 192, t: new Date(at(seconds)).toISOString() };
}

function received(readings: Readings): number | undefined {
  return readings.latest.get('huarui/GT-101')?.received;
}

describe('the age of a reading', () => {
  it('counts from its arrival while arrivals are followed', () => {
    const readings = new Readings();
    readings.take([reading(0)], at(1));
    readings.take([reading(5)], at(9));
    expect(received(readings)).toBe(at(9));
  });

  it('is not nothing for what was there before the page asked for it', () => {
    const readings = new Readings();
    readings.take([reading(0)], at(300));
    expect(received(readings)).toBe(at(0));
  });

  it('goes on when the service repeats it', () => {
    const readings = new Readings();
    readings.take([reading(0)], at(1));
    readings.take([reading(5)], at(6));
    const first = readings.latest.get('huarui/GT-101');
    readings.take([reading(5)], at(60));
    expect(readings.latest.get('huarui/GT-101')).toBe(first);
    readings.take([reading(5, 2)], at(70));
    expect(readings.latest.get('huarui/GT-101')).toMatchObject({ value: 2, received: at(6) });
  });

  it('is not nothing after an interruption', () => {
    const readings = new Readings();
    readings.take([reading(0)], at(1));
    readings.interrupt();
    readings.take([reading(5)], at(300));
    expect(received(readings)).toBe(at(5));
    readings.take([reading(301)], at(302));
    expect(received(readings)).toBe(at(302));
  });

  it('never lies in the future', () => {
    const readings = new Readings();
    readings.take([reading(500)], at(300));
    expect(received(readings)).toBe(at(300));
  });

  it('is what the list of tags says of the same reading', () => {
    const { t } = reading(0);
    const latest = { value: 1, quality: 192, reason: 0, source_time: t, received_time: new Date(at(3)).toISOString() };
    const tag = { enterprise: 'huarui', tag: 'GT-101', latest } as unknown as Tag;
    expect(latestReading(tag, { value: 2, quality: 192, time: t, received: at(0) })).toEqual({
      value: 2,
      quality: 192,
      time: t,
      received: at(3),
    });
  });
});
