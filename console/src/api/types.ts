/**
 * The shapes of `/api/v1` under their short names, taken from the generated `schema.ts`. Everything else in the
 * console imports them from here, and only from here. Instants are ISO 8601 strings in UTC.
 */

import type { components, operations } from '@/api/schema';

type Schemas = components['schemas'];

export type Account = Schemas['Account'];
export type AcknowledgeResult = Schemas['AcknowledgeResult'];
export type Alarm = Schemas['Alarm'];
export type AlarmState = Schemas['AlarmState'];
export type Attempt = Schemas['Attempt'];
export type Bucket = Schemas['Bucket'];
export type CallBack = Schemas['CallBack'];
export type Card = Schemas['Card'];
export type CardSummary = Schemas['CardSummary'];
export type ChangeBacktest = Schemas['ChangeBacktest'];
export type ChangedRule = Schemas['ChangedRule'];
export type ChangeShadow = Schemas['ChangeShadow'];
export type Channel = Schemas['Channel'];
export type ChannelTested = Schemas['ChannelTested'];
export type Comparison = Schemas['Comparison'];
export type ConfigCheck = Schemas['ConfigCheck'];
export type ConfigDocument = Schemas['ConfigDocument'];
export type ConfigDocumentList = Schemas['ConfigDocumentList'];
export type ConfigDocumentText = Schemas['ConfigDocumentText'];
export type ConfigFault = Schemas['ConfigFault'];
export type ConfigItem = Schemas['ConfigItem'];
export type Contact = Schemas['Contact'];
export type ContactCheck = Schemas['ContactCheck'];
export type Desk = Schemas['DeskStatus'];
export type Difference = Schemas['Difference'];
export type DocumentChange = Schemas['DocumentChange'];
export type Drill = Schemas['Drill'];
export type DrillScenario = Schemas['DrillScenario'];
export type Enterprise = Schemas['Enterprise'];
export type EnterpriseDays = Schemas['EnterpriseDays'];
export type EnterpriseOnline = Schemas['EnterpriseOnline'];
export type EnterpriseUnit = Schemas['EnterpriseUnit'];
export type Entry = Schemas['Entry'];
export type EntryPage = Schemas['EntryPage'];
export type Episode = Schemas['Episode'];
export type Gateway = Schemas['Gateway'];
export type Grade = Alarm['grade'];
export type Handover = Schemas['Handover'];
export type HandoverSummary = Schemas['HandoverSummary'];
export type Health = Schemas['Health'];
export type ComponentStatus = Health['status'];
export type Incident = Schemas['Incident'];
export type IncidentDetail = Schemas['IncidentDetail'];
export type IncidentResponse = Schemas['IncidentResponse'];
export type KeyFigures = Schemas['KeyFigures'];
export type Level = Schemas['Level'];
export type Limit = Schemas['Limit'];
export type Maintenance = Schemas['Maintenance'];
export type Message = Schemas['Message'];
export type MessageDetail = Schemas['MessageDetail'];
/** What the service can be asked for, by name. */
export type Operation = keyof operations;
export type OnlineDay = Schemas['OnlineDay'];
/** Enterprises, and the regions that they lie in. */
export type Places = Schemas['EnterpriseList'];
export type Plan = Schemas['Plan'];
export type PlanStep = Schemas['PlanStep'];
export type Preview = Schemas['Preview'];
export type ProblemDetails = Schemas['Problem'];
export type Reading = Schemas['Reading'];
export type Reason = Schemas['Reason'];
export type Refused = Schemas['Refused'];
export type Revision = Schemas['Revision'];
export type RevisionDetail = Schemas['RevisionDetail'];
export type Role = Account['role'];
export type Roster = Schemas['Roster'];
export type RuleChange = Schemas['RuleChange'];
export type RuleChangeDetail = Schemas['RuleChangeDetail'];
export type RuleFigures = Schemas['RuleFigures'];
export type RuleKind = Alarm['kind'];
export type RuleOutcome = Schemas['RuleOutcome'];
export type Samples = Schemas['Samples'];
export type SearchResult = Schemas['SearchResult'];
export type SecondedAct = Schemas['SecondProof']['act'];
export type SessionState = Schemas['SessionState'];
/** What a person signs with: name and comment. */
export type Signature = Schemas['Signature'];
export type Silence = Schemas['Silence'];
export type SiteMap = Schemas['SiteMap'];
export type SitePlan = Schemas['SitePlanView'];
export type Suppressed = Schemas['Suppressed'];
export type SuppressedList = Schemas['SuppressedList'];
export type TableFault = Schemas['TableFault'];
export type Tag = Schemas['Tag'];
export type TagStatus = Tag['status'];
export type TuningRule = Schemas['TuningRule'];
export type TuningTag = Schemas['TuningTag'];
export type Turn = Schemas['Turn'];

export interface Page<Item> {
  items: Item[];
  next: string | null;
}

export type LiveMessage =
  | Schemas['LiveHello']
  | Schemas['LiveEntry']
  | Schemas['LiveBeyond']
  | Schemas['LiveHealth']
  | Schemas['LiveReadings'];
