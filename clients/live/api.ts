/**
 * The resources of the gateway's HTTP API, as JSON: shared by the gateway, the typed client and the console. All paths are
 * under `/api/v1`; `GET /api/v1/openapi.json` describes them. Times are ISO 8601 unless a comment says epoch ms.
 *
 * | | |
 * | --- | --- |
 * | `GET /runs?domain=&status=&consumer=&q=&limit=&before=` | {@link RunList}: newest first, of every domain |
 * | `GET /launches/{id}` | {@link LaunchDetail} |
 * | `POST /launches` | `{ launchId?, configurationFile?, sheet? , noCache? }` -> {@link Started}; `sheet` is its text |
 * | `POST /launches/preflight` | the same -> findings |
 * | `POST /launches/{id}/retry`, `/launches/{id}/cancel` | {@link Started} / `{ status }` |
 * | `GET /launches/{id}/explain` | {@link Explanation} |
 * | `GET /launches/{id}/logs?step=&item=&attempt=&container=&search=&errors=&since=&limit=&tail=` | {@link LogPage}; `Accept: text/plain` downloads all of it |
 * | `GET /launches/{id}/outputs` · `/launches/{id}/cost` · `/launches/{id}/export` | {@link Output}[] · {@link CostView} · the sheet |
 * | `GET /restores/{id}` · `POST /restores` · `POST /restores/plan` · `POST /restores/{id}/cancel` | {@link RestoreDetail} … |
 * | `POST /approvals` | `{ workflowId, refuse? }` -> `{ workflowId, decision, status }` |
 * | `GET /costs/report?by=&from=&to=&consumer=` · `POST /costs/estimate` · `GET /costs/compare` | as `longhaul cost … --json` |
 * | `GET /progress/{workflowId}` | `Snapshot` |
 * | `GET /progress-events/{workflowId}?epoch=&after=&wait=&limit=` | {@link EventPage}: plain polling; waits up to `wait` seconds |
 * | `GET /progress-stream/{workflowId}` | SSE; `id:` is `<epoch>:<seq>`, resumed by `Last-Event-ID` |
 * | `POST /telemetry` | page loads, requests and script errors of the console |
 * | `GET /session` | {@link SessionInfo} |
 * | `GET /health` | `{ ok, … }`; needs no token |
 *
 * Errors are `{ error: { code, message, remedy } }` with 400, 401, 403, 404, 409, 413, 429 or 503.
 *
 * @module
 */
import type { ProgressEvent, Snapshot } from '../../workflows/progress/model.ts';
import type { Resume, Role } from './protocol.ts';

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
  /** Of the next page: as `before`. */
  next?: string;
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

/** What every domain's run has. */
export interface RunDetail extends RunSummary {
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
  /** One sentence. */
  summary: string;
  findings: { what: string; why: string; remedy: string; step?: string; item?: string }[];
}

/** As `longhaul cost show --json`; amounts are decimal numbers as strings. */
export type CostView = Record<string, unknown>;

export interface Started {
  workflowId: string;
  status: string;
  /** `existing`: it was there already. */
  outcome: 'started' | 'existing';
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
