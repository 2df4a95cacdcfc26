/** Kinds of journal entries, in the groups that the service looks for them by. */

export const KINDS = {
  alarms: [
    'alarm.entered', 'alarm.returned', 'alarm.acknowledged', 'alarm.reset', 'alarm.retrospective', 'alarm.withdrawn',
    'alarm.annunciated', 'alarm.suppressed', 'alarm.unsuppressed', 'alarm.shelved', 'alarm.unshelved', 'alarm.realarmed',
    'alarm.chattering', 'alarm.calm', 'alarm.damped', 'alarm.stale', 'alarm.commented', 'alarm.first_out', 'alarm.grouped',
  ],
  incidents: [
    'incident.opened', 'incident.graded', 'incident.closed', 'incident.reopened', 'incident.pushed', 'incident.acknowledged',
    'incident.verified', 'incident.verification_proposed', 'incident.verification_rejected', 'incident.handled',
    'incident.fed_back', 'incident.reviewed', 'incident.returned', 'incident.archived', 'incident.decided',
    'incident.escalated', 'incident.linked', 'incident.unlinked', 'incident.commented', 'incident.attached',
    'incident.accident_declared', 'incident.accident_reported', 'incident.accident_withdrawn', 'incident.report_overdue',
  ],
  messages: [
    'message.queued', 'message.sent', 'message.delivered', 'message.read', 'message.acknowledged', 'message.failed',
    'message.undelivered', 'message.superseded', 'delivery.escalated', 'delivery.nobody', 'channel.tested',
    'call_back.due', 'call_back.done', 'call_back.overdue',
  ],
  shifts: [
    'desk.unattended', 'desk.attended', 'shift.handed_over', 'shift.accepted', 'sound.silenced', 'sound.resumed',
    'flood.began', 'flood.ended', 'maintenance.announced', 'maintenance.began', 'maintenance.ended', 'maintenance.cancelled',
  ],
  drills: ['drill.began', 'drill.ended'],
  changes: [
    'change.proposed', 'change.backtest_begun', 'change.backtested', 'change.backtest_failed', 'change.backtest_interrupted',
    'change.approved', 'change.rejected', 'change.withdrawn', 'change.shadow_began', 'change.shadow', 'change.shadow_restarted',
    'change.shadow_ended', 'change.scheduled', 'change.applied', 'change.not_applied', 'change.rolled_back',
    'config.revised', 'config.diverged',
  ],
  accounts: [
    'session.begun', 'session.ended', 'session.held_off', 'session.seconded', 'account.added', 'account.disabled', 'account.enabled',
    'account.role_set', 'account.password_given', 'account.password_changed', 'account.codes_on', 'account.codes_off',
  ],
  service: ['service.started', 'service.stopped', 'evidence.made', 'journal.key', 'journal.key_changed', 'journal.broken'],
} as const;

/** What people did, of whatever kind, is a group of its own. */
export const GROUPS = ['alarms', 'incidents', 'acts', 'messages', 'shifts', 'drills', 'changes', 'accounts', 'service'] as const;
export type Group = (typeof GROUPS)[number];

export function isGroup(name: string): name is Group {
  return (GROUPS as readonly string[]).includes(name);
}
