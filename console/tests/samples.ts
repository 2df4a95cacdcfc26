/** Alarms, incidents and entries to test with. */

import type { Alarm, Entry, Incident, Tag } from '@/api/types';

export function alarm(change: Partial<Alarm> = {}): Alarm {
  return {
    id: 1,
    enterprise: 'huarui',
    enterprise_name: '华瑞化工储运',
    region: '370783',
    unit: 'tankfarm',
    unit_name: '原料罐区',
    tag: 'GT-101',
    description: '1# 罐泵区硫化氢',
    rule: 'HH',
    kind: 'high',
    level: 'HH',
    grade: 'yellow',
    state: 'unacknowledged',
    condition: true,
    latching: false,
    value: 21.7,
    setpoint: 20,
    engineering_unit: 'mg/m3',
    entered_at: '2026-06-08T02:30:00.000Z',
    received_at: '2026-06-08T02:30:00.214Z',
    returned_at: null,
    acknowledged_at: null,
    acknowledged_by: null,
    comment: null,
    activations: 1,
    incident: 1,
    sequence: 1,
    rule_version: 1,
    ...change,
  };
}

export function incident(change: Partial<Incident> = {}): Incident {
  return {
    id: 1,
    enterprise: 'huarui',
    enterprise_name: '华瑞化工储运',
    region: '370783',
    unit: 'tankfarm',
    unit_name: '原料罐区',
    hazard_level: 2,
    grade: 'orange',
    peak_grade: 'orange',
    reasons: [],
    state: 'open',
    opened_at: '2026-06-08T02:29:41.008Z',
    updated_at: '2026-06-08T02:30:00.214Z',
    closed_at: null,
    closed_by: null,
    close_comment: null,
    alarms_active: 1,
    alarms_unacknowledged: 1,
    alarms_total: 1,
    sequence: 1,
    ...change,
  };
}

export function entry(change: Partial<Entry> = {}): Entry {
  return {
    sequence: 1,
    at: '2026-06-08T02:30:00.214Z',
    kind: 'alarm.entered',
    actor: 'anshao',
    enterprise: 'huarui',
    region: '370783',
    unit: 'tankfarm',
    tag: 'GT-101',
    rule: 'HH',
    alarm: 1,
    incident: 1,
    data: {},
    hash: '00',
    ...change,
  };
}

export function tag(change: Partial<Tag> = {}): Tag {
  return {
    enterprise: 'huarui',
    tag: 'GT-101',
    unit: 'tankfarm',
    gateway: 'gw1',
    measurand: 'h2s',
    engineering_unit: 'mg/m3',
    description: '1# 罐泵区硫化氢',
    range: [0, 100],
    period_ms: 1000,
    limits: [],
    has_limits: true,
    status: 'normal',
    latest: null,
    ...change,
  };
}
