/** What the acts of the console are called by the service, so that a role is offered those that it may do. */

import type { LoopAct } from '@/incidents/acts';
import type { Operation } from '@/api/types';
import type { Act } from '@/alarms/states';
import { may, session } from '@/session/session';
import type { ChangeAct } from '@/tuning/acts';

export const OF_ALARM: Record<Act, Operation> = {
  acknowledge: 'acknowledge_selection',
  reset: 'reset_alarm',
  comment: 'comment_alarm',
  shelve: 'shelve_alarm',
};

export const OF_INCIDENT: Record<LoopAct, Operation> = {
  acknowledge_desk: 'acknowledge_incident',
  acknowledge_enterprise: 'acknowledge_incident',
  verify: 'verify_incident',
  confirm_verification: 'confirm_verification',
  reject_verification: 'reject_verification',
  handle: 'handle_incident',
  feed_back: 'feed_back_incident',
  review: 'review_incident',
  close: 'close_incident',
  archive: 'archive_incident',
  decide: 'decide_incident',
  comment: 'comment_incident',
  link: 'link_incident',
  attach: 'attach_to_incident',
  declare_accident: 'declare_accident',
  report_accident: 'report_accident',
  withdraw_accident: 'withdraw_accident',
};

export const OF_CHANGE: Record<ChangeAct, Operation> = {
  backtest: 'backtest_change',
  approve: 'approve_change',
  shadow: 'shadow_change',
  apply: 'apply_change',
  rollback: 'roll_back_change',
  reject: 'reject_change',
  withdraw: 'withdraw_change',
};

/** Whether somebody may do this to an incident: an enterprise's own people acknowledge for the enterprise alone. */
export function mayDo(act: LoopAct): boolean {
  return may(OF_INCIDENT[act]) && !(act === 'acknowledge_desk' && session.state.value?.role === 'enterprise');
}
