/**
 * The resources of the gateway's HTTP API, as JSON: shared by the gateway, the typed client and the console. All paths are
 * under `/api/v1`; `GET /api/v1/openapi.json` describes them. Times are ISO 8601 unless a comment says epoch ms.
 *
 * | | |
 * | --- | --- |
 * | `GET /runs?domain=&status=&consumer=&workflowType=&q=&limit=&before=` | {@link RunList}: newest first, of every domain |
 * | `GET /runs/{workflowId}` | {@link RunDetail}, of whatever domain; the id percent-encoded |
 * | `GET /launches/{id}` | {@link LaunchDetail} |
 * | `POST /launches` | {@link SheetBody} -> {@link Started}; `sheet` is its text |
 * | `POST /launches/preflight` | {@link SheetBody} -> {@link PreflightAnswer} |
 * | `POST /launches/{id}/retry`, `/launches/{id}/cancel` | {@link Started} / `{ workflowId, status }` |
 * | `GET /launches/{id}/explain` | {@link Explanation} |
 * | `GET /launches/{id}/logs?step=&item=&attempt=&container=&search=&errors=&since=&limit=&tail=` | {@link LogPage}; `Accept: text/plain` downloads all of it |
 * | `GET /launches/{id}/outputs` · `/launches/{id}/cost` | {@link Output}[] · {@link CostView} |
 * | `GET /launches/{id}/export?as=sheet` · `?as=snakemake`, `POST /launches/export` | the sheet as it was launched · {@link Exported} |
 * | `GET /restores/{id}` · `POST /restores` · `POST /restores/plan` · `POST /restores/{id}/cancel` | {@link RestoreDetail} · {@link RestoreBody} -> {@link Started} · -> {@link RestorePlanned} · `{ workflowId, status }` |
 * | `POST /approvals` | `{ workflowId, refuse? }` -> `{ workflowId, decision, status }` |
 * | `GET /costs/report?by=&from=&to=&consumer=` · `POST /costs/estimate` · `GET /costs/compare?launch=&launch=` | {@link CostReport}, CSV by `Accept: text/csv`, FOCUS by `format=focus` · {@link CostEstimate} · {@link CostComparison}, `Accept: image/svg+xml` draws it |
 * | `GET /costs/stories/{family}/{night}` | {@link StoryCostView} |
 * | `GET /progress/{workflowId}` | `Snapshot` |
 * | `GET /progress-events/{workflowId}?epoch=&after=&wait=&limit=` | {@link EventPage}: plain polling; waits up to `wait` seconds |
 * | `GET /progress-stream/{workflowId}` | SSE; `id:` is `<epoch>:<seq>`, resumed by `Last-Event-ID` |
 * | `GET /families` · `GET /families/{family}` · `POST /families`, `/families/{family}` and its `/remove` | FamilyList · FamilyDetail · FamilySettings -> FamilyChanged, all of ./stories.ts |
 * | `/families/{family}/schedule`, `/pause`, `/resume`, `/backfill`, `/subscriptions`, `/characters`, `/scenes` | ScheduleView, SubscriptionList, CardList |
 * | `GET /stories?family=&limit=&before=` · `GET /stories/{family}/{night}` · `POST` its `/link` · `POST /stories` | Book · StoryDetail · StoryLink · `{ family, night? }` -> {@link Started} |
 * | `POST /telemetry` · `GET /telemetry` | {@link Telemetry}[] of the console · {@link TelemetryView} |
 * | `GET /session` | {@link SessionInfo} |
 * | `GET /health` | `{ ok, … }`; needs no token |
 *
 * Errors are `{ error: { code, message, remedy } }` with 400, 401, 403, 404, 409, 413, 429 or 503.
 *
 * @module
 */
import type { ProgressEvent, Snapshot } from '../../workflows/progress/model.ts';
import type { Resume, Role } from './protocol.ts';

export type {
  CostComparison,
  CostEstimate,
  CostReport,
  CostView,
  PreflightAnswer,
  RestorePlanned,
  StoryCostView,
} from './costs.ts';

export interface ApiError {
  error: { code: string; message: string; remedy: string };
}

export interface SessionInfo {
  /** `open`: this gateway listens on loopback only, and asks for nothing. */
  auth: 'open' | 'jwt';
  role: Role;
  consumers: readonly string[] | '*';
  version: string;
  temporalUi: string;
  /** Epoch ms; of a token. */
  expiresAt?: number;
}

/** One row of the list. */
export interface RunSummary {
  workflowId: string;
  domain: string;
  /** Within its domain: the launch id. */
  id: string;
  status: string;
  waitingFor?: string;
  consumer?: string;
  createdAt: string;
  endedAt?: string;
  attempt?: number;
  /** `steps`, `snakemake`, … */
  workflowType?: string;
  computeService?: string;
  percent?: number;
  cost?: { total: string; currency: string; status?: 'PENDING' | 'FINAL' };
  errorType?: string;
}

export interface RunList {
  runs: RunSummary[];
  /** Of the next page: as `before`. A page may have fewer runs than asked for, and yet a next one. */
  next?: string;
  /** What could not be asked just now, and so is not in the list: `temporal`. */
  incomplete?: string[];
}

/** What somebody in this role may do with this run now. */
export type RunAction = 'cancel' | 'retry' | 'approve' | 'refuse';

export interface RunLink {
  what: 'parent' | 'child' | 'temporal';
  label: string;
  /** Of a run. */
  workflowId?: string;
  /** Of a page outside. */
  href?: string;
}

export interface Output {
  step: string;
  item: string;
  name: string;
  bytes: number;
  /** `s3://…` */
  address: string;
}

/** The epoch of a snapshot that is made from the registry, where there is no log, or no longer: there is nothing to replay. */
export const STORED_EPOCH = 'stored';

/** What every domain's run has. */
export interface RunDetail extends RunSummary {
  /** By its log; else by the registry: {@link STORED_EPOCH}. */
  snapshot: Snapshot;
  actions: RunAction[];
  links: RunLink[];
  error?: { type: string; message: string };
}

export interface StepDetail {
  step: string;
  attempt: number;
  generation: number;
  state: string;
  computeService?: string;
  image?: string;
  vcpus?: number;
  memoryMib?: number;
  jobs: { id: string; name: string; generation: number; items: number; memoryMib?: number; submittedAt: string }[];
  cached?: number;
  reused?: Record<string, number>;
  failedJobs?: Record<string, number>;
  failures: {
    item: string;
    cause: string;
    generation: number;
    jobId: string;
    container?: string;
    exitCode?: number;
    reason: string;
    lastLogLines: string[];
  }[];
}

export interface LaunchDetail extends RunDetail {
  /** `s3://…` */
  sheet: string;
  dataPath?: string;
  resultsPath?: string;
  /** Addresses the sheet names, per item: what goes in. The first 200; `inputs.total` counts all. */
  inputs?: { total: number; first: { step: string; item: string; name: string; address: string }[] };
  earlier: { attempt: number; statuses: Record<string, string> }[];
  /** Of every attempt, the latest first. */
  steps: StepDetail[];
  /** The first 200. */
  outputs: Output[];
  restore?: RestoreSummary;
  failedJobs?: number;
}

export interface RestoreSummary {
  workflowId: string;
  status: string;
  total: number;
  readable: number;
  requested: number;
  failed: number;
  bytes: number;
  readableBytes: number;
  usd?: number;
  limitUsd?: number;
  /** Epoch ms. */
  readyBy?: number;
}

export interface RestoreDetail extends RunDetail {
  restore: RestoreSummary;
  plan?: { tiers: Record<string, string>; objects: number; bytes: number; usd?: number; seconds: number; days: number };
  failures: { address: string; code: string; reason: string }[];
}

export interface LogLine {
  /** Epoch ms. */
  at: number;
  step: string;
  item: string;
  attempt: number;
  container: string;
  text: string;
}

export interface LogPage {
  lines: LogLine[];
  /** Lines or items left out by a limit. */
  leftOut?: number;
  /** Epoch ms: ask again with this as `since` for what has been written meanwhile; absent once nothing more can come. */
  more?: number;
}

export interface Explanation {
  status: string;
  /** A name of docs/errors.md, or `HEALTHY`. */
  cause: string;
  /** One sentence. */
  summary: string;
  /** What to do; empty when there is nothing to do. */
  remedy: string;
  /** Line by line, as `longhaul launch explain` shows it. */
  evidence: string[];
  /** The cause, then what has failed of it, item by item. */
  findings: { what: string; why: string; remedy: string; step?: string; item?: string }[];
}

/** A sheet by its text, or by where it lies: one of both. */
export interface SheetBody {
  /** Of a launch whose sheet names none. */
  launchId?: string;
  /** YAML or JSON, at most 1 MiB. */
  sheet?: string;
  /** `s3://`; below `sheets/<consumer>/` of Longhaul's bucket, unless the token is for all consumers. */
  configurationFile?: string;
  noCache?: boolean;
}

/** Body of a retry; all of it may be left out. */
export interface RetryBody {
  /** Another sheet, of the same consumer: its text. */
  sheet?: string;
  noCache?: boolean;
}

/** Of `POST /costs/estimate`. */
export interface EstimateBody extends Pick<SheetBody, 'sheet' | 'configurationFile'> {
  computeService?: string;
  market?: 'on-demand' | 'spot';
  families?: string[];
  vcpus?: number;
}

/** Of `POST /restores/plan`; with `restoreId` and `consumer` of `POST /restores`. */
export interface RestoreBody {
  restoreId?: string;
  consumer?: string;
  /** `s3://` addresses: objects, prefixes with a slash at the end, patterns. */
  sources?: string[];
  /** `s3://` address of a request, a list, or the manifest.json of an S3 Inventory. */
  configurationFile?: string;
  tier?: 'Expedited' | 'Standard' | 'Bulk';
  /** `12h`, `2d` */
  deadline?: string;
  days?: number;
  limitUsd?: number;
}

/** For Snakemake 9. */
export interface Exported {
  snakefile: string;
  config: string;
}

export interface Started {
  workflowId: string;
  /** Within its domain. */
  id: string;
  status: string;
  /** `existing`: it was there already. */
  outcome: 'started' | 'existing';
  /** Of a retry. */
  attempt?: number;
}

export interface EventPage {
  resume: Resume;
  events: ProgressEvent[];
}

/** One report of the console about itself. */
export interface Telemetry {
  kind: 'page' | 'request' | 'error';
  /** Route pattern, never an address with ids. */
  route: string;
  ms?: number;
  status?: number;
  /** Of an error: message and place, cut at 500 characters. */
  message?: string;
}

/** Since this gateway was started. */
export interface TelemetryView {
  /** Page loads by route. */
  pages: Record<string, number>;
  /** By route; times of the last 512 requests of each. */
  requests: Record<string, { count: number; failed: number; p50Ms: number; p95Ms: number }>;
  /** The last 50. `at` in epoch ms. */
  errors: { at: number; route: string; message: string }[];
  /** Reports over the rate a user may send. */
  refused: number;
}
