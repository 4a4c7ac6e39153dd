/**
 * Instances of EC2 for one launch: a launch's job is one or several of them, which run the job program and end when it
 * has ended. What a job is, and that it shall end, stands in S3; every look at it starts what is missing and ends what is
 * left, so nothing but the instances themselves has to outlive the worker. See docs/compute.md.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import type { S3Client } from '@aws-sdk/client-s3';
import { ApplicationFailure } from '@temporalio/common';
import { mapLimited } from '../../../lib/concurrency.ts';
import { endingsOfName, readEndings } from '../../../lib/launch/endings.ts';
import {
  HOST_JOB_LIMIT,
  type HostJob,
  hostJobAddress,
  type StopWord,
  stopAddress,
  stopWord,
} from '../../../lib/launch/host-job.ts';
import type { Host } from '../../../lib/launch/hosts.ts';
import type { InstanceTypeReader } from '../../../lib/launch/instance-types.ts';
import { putFirst, readJson, UnreadableObjectError } from '../../../lib/s3-objects.ts';
import { JOB_ENVIRONMENT, parseSubmission } from '../../../workflows/launch/model.ts';
import { type Assessment, assess, childView, failedChildrenOf, isLive, toEnd, toStart, viewOf } from './ec2/assess.ts';
import { type HostInstance, type Instances, MOST_JOBS } from './ec2/instances.ts';
import { fitting, hostsFor, type Slotted } from './ec2/shape.ts';
import {
  type Ec2Settings,
  isRefusal,
  lifetimeMinutes,
  MISCONFIGURED,
  type Started,
  startHost,
  words,
} from './ec2/starting.ts';
import { attemptsByEndings } from './ended-views.ts';
import { jobLogs } from './job-logs.ts';
import { jobVariables } from './job-variables.ts';
import { type ComputeService, hasEnded, type Job, type JobRequest, type JobView } from './service.ts';

export interface Ec2Dependencies {
  s3: S3Client;
  logs: CloudWatchLogsClient;
  instances: Instances;
  instanceTypes: Pick<InstanceTypeReader, 'describe'>;
  settings: Ec2Settings;
  /** In records of jobs. */
  region: string;
  /** Of the worker's own, for the job program. */
  variables: Readonly<Record<string, string>>;
}

/** In place of an account, for the poller. */
const ACCOUNT = 'ec2';
/** RunInstances has a small budget of calls: two a second, five at once. */
const STARTING = 2;
/** Those of a job beyond it are started by the next looks: one look must not take minutes. */
const STARTS = 40;
const LOOKING = 8;
const PAGE = 1_000;
/** On top of an instance's own lifetime, until somebody else ends it. */
const OVERDUE_MS = 15 * 60_000;
/** Descriptions of jobs that are kept; they never change. */
const KNOWN_JOBS = 2_000;

export function createEc2Compute(dependencies: Ec2Dependencies): ComputeService {
  const { s3, logs, instances, instanceTypes, settings, variables } = dependencies;
  const known = new Map<string, HostJob>();
  let allowed: Promise<Host[]> | undefined;

  return {
    name: 'ec2',
    ...jobLogs(logs, settings.jobLogGroup),
    describeLimit: MOST_JOBS,

    // Its id is the same each time, and so are its instances.
    async submit(request) {
      const job = await keep(await toHostJob(request));
      const look = await lookAt(job, await instances.ofJobs([job.id]));
      const refused = await startMissing(job, look);
      if (refused instanceof Error) throw rejected(`EC2 refuses the instances: ${refused.name}: ${refused.message}`);
      return toJob(job);
    },

    async describe(ids) {
      const found = await instances.ofJobs([...new Set(ids.map(jobOf))]);
      return mapLimited(ids, LOOKING, async (id) => {
        const job = await read(jobOf(id));
        if (!job) return { id, status: 'LOST', attempts: 0, containers: [] };
        if (id === job.id) return tend(job, found);
        const { assessment, stopped } = await lookAt(job, found);
        return childView(job, Number(id.slice(job.id.length + 1)), assessment, stopped);
      });
    },

    async *failedChildren(id) {
      const job = await read(id);
      if (!job || job.items === 1) return;
      const look = await lookAt(job, await instances.ofJobs([id]));
      const views = failedChildrenOf(job, look.assessment, look.stopped);
      for (let from = 0; from < views.length; from += PAGE) yield views.slice(from, from + PAGE);
    },

    async whyNotPlaced(id) {
      const job = await read(id);
      return job && (await tend(job, await instances.ofJobs([id]))).reason;
    },

    attempts: attemptsByEndings(s3, settings.bucket),

    async terminate(id, reason) {
      const job = await read(id);
      if (!job) return;
      const { assessment, stopped } = await lookAt(job, await instances.ofJobs([id]));
      if (hasEnded(viewOf(job, assessment, { stopped }))) return;
      // First the word, then the end: who starts an instance after this ends it again.
      await putFirst<StopWord>(s3, stopAddress(hostJobAddress(settings.bucket, id)), { reason });
      await instances.end((await instances.ofJobs([id])).filter(isLive));
    },

    async held() {
      const jobs = new Map((await instances.live()).map(({ job, workflowId }) => [job, workflowId]));
      return [...jobs].map(([id, workflowId]) => ({ id, workflowId }));
    },
  };

  /** Says how a job is, after starting what is missing and ending what is left. */
  async function tend(job: HostJob, found: readonly HostInstance[]): Promise<JobView> {
    const look = await lookAt(job, found);
    const waiting = await startMissing(job, look).then(
      (started) => (started instanceof Error ? `${MISCONFIGURED} - ${started.name}: ${started.message}` : started),
      // The next look tries again; until then it must not keep the news of other jobs back.
      (error: Error) => `EC2 did not start an instance: ${error.name}: ${error.message}`,
    );
    const view = viewOf(job, look.assessment, { waiting, stopped: look.stopped });
    const types = await allowedFor(job);
    const most = Math.max(...types.map(({ slots }) => lifetimeMinutes(job, slots, settings)), 0);
    await instances.end(toEnd(look.assessment, hasEnded(view), most * 60_000 + OVERDUE_MS, Date.now()));
    return view;
  }

  async function lookAt(
    job: HostJob,
    found: readonly HostInstance[],
  ): Promise<{ assessment: Assessment; stopped: string | undefined }> {
    const own = found.filter((instance) => instance.job === job.id);
    const gone = !own.every(isLive) || own.length < job.hosts;
    const endings =
      job.items > 1 || gone ? await readEndings(s3, endingsOfName(settings.bucket, job.name), job.id) : new Map();
    const assessment = assess(job, own, endings);
    const word = gone ? await stopWord(s3, hostJobAddress(settings.bucket, job.id)) : undefined;
    return { assessment, stopped: word?.reason };
  }

  /** @returns why some host could not be started: for want of capacity, or what EC2 refuses for good */
  async function startMissing(
    job: HostJob,
    { assessment, stopped }: { assessment: Assessment; stopped: string | undefined },
  ): Promise<string | Error | undefined> {
    const missing = stopped === undefined ? toStart(job, assessment).slice(0, STARTS) : [];
    if (missing.length === 0) return undefined;
    const types = await allowedFor(job);
    let reason: string | undefined;
    try {
      await mapLimited(missing, STARTING, async (share) => {
        // Once there is no capacity for one there is none for the others.
        if (reason !== undefined) return;
        let attempt = share.tries;
        let started: Started;
        do {
          attempt += 1;
          started = await startHost(instances, settings, variables, { job, host: share.host, attempt, types });
        } while (started.state === 'over' && attempt <= job.hostRetries);
        if (started.state === 'waiting') reason = started.reason;
        else share.tries = attempt;
        if (started.state === 'started') share.live = starting(job, share);
      });
    } catch (error) {
      if (isRefusal(error)) return error;
      throw error;
    }
    // Somebody may have ended the job meanwhile, when these instances were not there to be ended.
    if (await stopWord(s3, hostJobAddress(settings.bucket, job.id)))
      await instances.end((await instances.ofJobs([job.id])).filter(isLive));
    return reason;
  }

  async function toHostJob(request: JobRequest): Promise<HostJob> {
    const submission = request.contract[JOB_ENVIRONMENT.submission] ?? '';
    const types = await allowedFor(request);
    const [first] = types;
    if (!first)
      throw rejected(
        `no instance type of ec2InstanceTypes (${settings.ec2InstanceTypes}) holds ${request.vcpus} vCPU and ${request.memoryMiB} MiB`,
      );
    return {
      id: `${request.name}-${createHash('sha256').update(submission).digest('hex').slice(0, 12)}`,
      name: request.name,
      items: request.items,
      hosts: hostsFor(request.items, first, settings.ec2MaxInstances),
      hostRetries: request.hostRetries,
      argv: request.argv,
      variables: jobVariables(request, settings),
      vcpus: request.vcpus,
      memoryMiB: request.memoryMiB,
      ...(request.timeoutSeconds !== undefined && { timeoutSeconds: request.timeoutSeconds }),
      ...(request.head && { head: true }),
      workflowId: parseSubmission(submission)?.workflowId ?? '',
      tags: request.tags,
    };
  }

  async function allowedFor(job: Pick<JobRequest, 'vcpus' | 'memoryMiB'>): Promise<Slotted[]> {
    allowed ??= instanceTypes.describe(words(settings.ec2InstanceTypes)).catch((error: unknown) => {
      allowed = undefined;
      throw error;
    });
    return fitting(await allowed, job);
  }

  /** Who was first has decided, on how many hosts it runs. */
  async function keep(job: HostJob): Promise<HostJob> {
    const earlier = await putFirst(s3, hostJobAddress(settings.bucket, job.id), job);
    return remember(earlier ?? job);
  }

  async function read(id: string): Promise<HostJob | undefined> {
    const remembered = known.get(id);
    if (remembered) return remembered;
    try {
      return remember(await readJson<HostJob>(s3, hostJobAddress(settings.bucket, id), HOST_JOB_LIMIT));
    } catch (error) {
      if (error instanceof UnreadableObjectError) return undefined;
      throw error;
    }
  }

  function remember(job: HostJob): HostJob {
    const [oldest] = known.keys();
    if (known.size >= KNOWN_JOBS && oldest !== undefined) known.delete(oldest);
    known.set(job.id, job);
    return job;
  }

  function toJob({ id, name }: HostJob): Job {
    return { id, name, queue: 'ec2', account: ACCOUNT, region: dependencies.region, logGroup: settings.jobLogGroup };
  }
}

/** `<job>:<item>` is a child. */
const jobOf = (id: string): string => id.split(':')[0] ?? '';

/** DescribeInstances may not know it yet. */
const starting = (job: HostJob, { host, tries }: { host: number; tries: number }): HostInstance => ({
  id: '',
  job: job.id,
  workflowId: job.workflowId,
  host,
  attempt: tries,
  slots: 1,
  state: 'pending',
  launchedAt: Date.now(),
});

const rejected = (message: string) => ApplicationFailure.nonRetryable(message, 'JobRejectedError');
