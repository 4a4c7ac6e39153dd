/**
 * The launch sheet as its reader gets it, after {@link ./parse.ts} has checked it against sheet.schema.json.
 *
 * @module
 */
import type { ComputeService, SheetWorkflowType } from '../model.ts';
import type { RetryLimits } from '../retries.ts';

export type Scalar = string | number | boolean;

export interface Sheet {
  apiVersion: 'longhaul/v1';
  launchId?: string;
  workflowType: SheetWorkflowType;
  workflowEndpoint?: string;
  consumer: string;
  /** `s3://bucket/prefix` */
  dataPath: string;
  resultsPath?: string;
  computeService?: ComputeService;
  clusterId?: string;
  sharedFileSystem?: SharedFileSystem;
  parameters?: Record<string, Scalar>;
  cache?: boolean;
  onFailure?: 'stop' | 'finish';
  /** Of archived inputs. */
  restore?: SheetRestore;
  scatter?: Record<string, SheetItem[] | { discover: string }>;
  /** Durable steps; with `workflowType: snakemake` a Snakefile is made of them. */
  steps?: Record<string, SheetStep>;
  /** The job that runs the engine or the tool. */
  head?: SheetHead;
  /** Of a head job: name to path or pattern. */
  inputs?: Record<string, string>;
  outputs?: Record<string, string>;
  /** `workflowType: command`. */
  command?: string;
  argv?: string[];
  /** What the parameters of a `command` must be, as JSON Schema has it. */
  parameterTypes?: Record<string, ParameterType>;
}

/** A sheet whose steps are there: what the planner of durable steps takes. */
export type StepsSheet = Sheet & { steps: Record<string, SheetStep> };

export interface SheetHead {
  image: string;
  arguments?: string[];
  resources?: { vcpus?: number; memoryMiB?: number; maxMemoryMiB?: number };
  timeoutSeconds?: number;
  retries?: number | Partial<RetryLimits>;
  whenStuck?: { failAfterSeconds: number };
  environment?: Record<string, string>;
  /** Files of the working folder that outlive the head; default: what the workflow type says. */
  keep?: string[];
}

export interface SheetRestore {
  tier?: 'Expedited' | 'Standard' | 'Bulk';
  /** `12h` */
  deadline?: string;
  days?: number;
  limitUsd?: number;
}

export interface ParameterType {
  type: 'string' | 'integer' | 'number' | 'boolean';
  enum?: Scalar[];
  pattern?: string;
  minimum?: number;
  maximum?: number;
  maxLength?: number;
}

export interface SharedFileSystem {
  type: 'lustre' | 'efs' | 'host';
  fileSystemId?: string;
  hostPath?: string;
  root?: string;
}

/** An item of a dimension: its name alone, or a name with further fields. */
export type SheetItem = string | ({ name: string } & Record<string, Scalar>);

export interface SheetStep {
  description?: string;
  image: string;
  command?: string;
  argv?: string[];
  scatter?: string[];
  after?: string[];
  inputs?: Record<string, string | { from: string; gather?: boolean }>;
  outputs?: Record<string, string>;
  resources?: { vcpus?: number; memoryMiB?: number; maxMemoryMiB?: number };
  timeoutSeconds?: number;
  /** A number alone is that of exit codes. */
  retries?: number | Partial<RetryLimits>;
  whenStuck?: { failAfterSeconds: number };
  environment?: Record<string, string>;
}
