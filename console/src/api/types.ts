/**
 * The shapes of `/api/v1`. Everything else in the console imports them from here, and only from here, so that each
 * can become an alias of a generated one (`export type Alarm = components['schemas']['Alarm']`).
 * Instants are ISO 8601 strings in UTC.
 */

export type Grade = 'blue' | 'yellow' | 'orange' | 'red';

export type AlarmState =
  | 'normal'
  | 'unacknowledged'
  | 'acknowledged'
  | 'returned_unacknowledged'
  | 'latched_unacknowledged'
  | 'latched_acknowledged';

export type RuleKind = 'high' | 'low' | 'rise' | 'fall' | 'stale' | 'bad' | 'system';

export type Level = 'LL' | 'L' | 'H' | 'HH' | 'FAULT';

export interface Alarm {
  id: number;
  enterprise: string;
  enterprise_name: string;
  region: string;
  unit: string;
  unit_name: string;
  tag: string;
  description: string;
  rule: string;
  kind: RuleKind;
  level: Level;
  grade: Grade;
  state: AlarmState;
  condition: boolean;
  latching: boolean;
  value: number | null;
  setpoint: number | null;
  engineering_unit: string;
  entered_at: string;
  received_at: string;
  returned_at: string | null;
  acknowledged_at: string | null;
  acknowledged_by: string | null;
  comment: string | null;
  activations: number;
  incident: number | null;
  sequence: number;
  rule_version: number;
}

export interface AlarmDetail extends Alarm {
  history: Entry[];
}

/** Why an incident has its grade: the name of a row of the grading table and what it matched. */
export interface Reason {
  rule: string;
  params: Record<string, unknown>;
}

export interface Incident {
  id: number;
  enterprise: string;
  enterprise_name: string;
  region: string;
  unit: string;
  unit_name: string;
  hazard_level: number | null;
  grade: Grade;
  peak_grade: Grade;
  reasons: Reason[];
  state: 'open' | 'closed';
  opened_at: string;
  updated_at: string;
  closed_at: string | null;
  closed_by: string | null;
  close_comment: string | null;
  alarms_active: number;
  alarms_unacknowledged: number;
  alarms_total: number;
  sequence: number;
}

export interface IncidentDetail extends Incident {
  alarms: Alarm[];
  history: Entry[];
}

/** One entry of the journal 台账. */
export interface Entry {
  sequence: number;
  at: string;
  kind: string;
  actor: string | null;
  enterprise: string | null;
  region: string | null;
  unit: string | null;
  tag: string | null;
  rule: string | null;
  alarm: number | null;
  incident: number | null;
  data: Record<string, unknown>;
  hash: string;
}

export interface EnterpriseUnit {
  id: string;
  name: string;
  hazard_level: number | null;
  tags: number;
  grade: Grade | null;
  incident: number | null;
}

export interface Enterprise {
  id: string;
  name: string;
  region: string;
  region_name: string;
  units: EnterpriseUnit[];
  gateways: number;
}

export interface Limit {
  key: string;
  kind: RuleKind;
  level: Level;
  setpoint: number;
  deadband: number;
  on_delay_ms: number;
  off_delay_ms: number;
  window_ms: number;
  latching: boolean;
  /** The setpoint is the measurand's default and not the site's own. */
  default: boolean;
  version: number;
}

export type TagStatus = 'normal' | 'alarm' | 'no_limits' | 'stale' | 'bad' | 'unknown';

export interface Latest {
  value: number | null;
  quality: number;
  reason: number;
  source_time: string;
  received_time: string;
}

export interface Tag {
  enterprise: string;
  tag: string;
  unit: string;
  gateway: string;
  measurand: string;
  engineering_unit: string;
  description: string;
  range: [number | null, number | null];
  period_ms: number;
  limits: Limit[];
  has_limits: boolean;
  status: TagStatus;
  latest: Latest | null;
}

export interface Bucket {
  t: string;
  min: number | null;
  max: number | null;
  mean: number | null;
  count: number;
}

export interface Buckets {
  tag: string;
  engineering_unit: string;
  buckets: Bucket[];
}

export interface Gateway {
  enterprise: string;
  gateway: string;
  name: string;
  status: 'online' | 'offline' | 'unknown';
  since: string | null;
  last_received: string | null;
  readings: number;
  refused: number;
  clock_skew_ms: number | null;
}

export interface Refused {
  id: number;
  received_at: string;
  enterprise: string | null;
  gateway: string | null;
  topic: string;
  reason: string;
  detail: string;
  remedy: string;
  payload: string;
  payload_bytes: number;
}

export type ComponentStatus = 'ok' | 'degraded' | 'down';

export interface Component {
  status: ComponentStatus;
  since: string | null;
  detail: string | null;
}

export interface Health {
  status: ComponentStatus;
  version: string;
  started_at: string;
  now: string;
  sequence: number;
  components: {
    broker: Component;
    historian: Component & { backlog: number };
    ledger: Component;
    spool: Component & { bytes: number; limit: number; samples: number };
    canary: { status: ComponentStatus; latency_ms: number | null; last: string | null; since: string | null };
  };
  readings: { total: number; per_second: number; refused: number };
  gateways: { online: number; offline: number; unknown: number };
}

export interface Reading {
  enterprise: string;
  tag: string;
  v: number | null;
  q: number;
  t: string;
}

export interface Page<Item> {
  items: Item[];
  next: string | null;
}

/** RFC 9457. */
export interface ProblemDetails {
  type: string;
  title: string;
  status: number;
  detail?: string;
  errors?: unknown[];
}

export type LiveMessage =
  | { type: 'hello'; sequence: number; now: string; version: string; resumed: boolean }
  | { type: 'entry'; sequence: number; entry: Entry; alarm: Alarm | null; incident: Incident | null }
  | ({ type: 'health' } & Health)
  | { type: 'readings'; items: Reading[] };
