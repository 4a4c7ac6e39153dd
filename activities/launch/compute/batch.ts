/**
 * AWS Batch. A launch's job is a multi-container job: `stage` brings the inputs, `main` is the user's image,
 * `publish` keeps the outputs and commits them. See docs/job-contract.md.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import {
  type BatchClient,
  ClientException,
  DescribeJobDefinitionsCommand,
  DescribeJobsCommand,
  type JobDetail,
  ListJobsCommand,
  RegisterJobDefinitionCommand,
  type RegisterJobDefinitionCommandInput,
  SubmitJobCommand,
  TerminateJobCommand,
} from '@aws-sdk/client-batch';
import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { ApplicationFailure } from '@temporalio/common';
import { whyNotPlaced } from '../../../lib/launch/batch-queue.ts';
import { HELPER_RESOURCES, queueFor, requirements, submission } from '../../../lib/launch/batch-submission.ts';
import type { Settings } from '../../../lib/settings.ts';
import { causeOf } from '../../../workflows/launch/causes.ts';
import { SHARED_PATH, WORK_PATH } from '../../../workflows/launch/manifest.ts';
import type { JobStatus } from '../../../workflows/launch/model.ts';
import type { SharedFileSystem } from '../../../workflows/launch/sheet/sheet.ts';
import { jobLogs } from './job-logs.ts';
import type { AttemptView, ComputeService, ContainerView, Job, JobRequest, JobView } from './service.ts';

export const BATCH_LOG_GROUP = '/aws/batch/job';
/** AWS Batch's limit of ids in one DescribeJobs call. */
const DESCRIBE_LIMIT = 100;
const PARENTS_STATUS: readonly JobStatus[] = [
  'SUBMITTED',
  'PENDING',
  'RUNNABLE',
  'STARTING',
  'RUNNING',
  'SUCCEEDED',
  'FAILED',
];

export interface BatchDependencies {
  batch: BatchClient;
  /** A client that never retries by itself. */
  submitter: BatchClient;
  logs: CloudWatchLogsClient;
  settings: Pick<Settings, 'batchQueue' | 'headQueue' | 'jobImage' | 'jobRole' | 'executionRole'>;
}

export function createBatchCompute({ batch, submitter, logs, settings }: BatchDependencies): ComputeService {
  return {
    name: 'batch',
    ...jobLogs(logs, BATCH_LOG_GROUP),
    describeLimit: DESCRIBE_LIMIT,

    async submit(request, { lookFirst }) {
      const queue = queueFor(settings, request);
      const earlier = lookFirst ? await findByName(batch, queue, request.name) : undefined;
      if (earlier) return toJob(earlier.jobArn, earlier.jobId, request.name, queue);
      try {
        const jobDefinition = await ensureDefinition(batch, settings, request);
        const { jobId = '', jobArn = '' } = await submitter.send(
          new SubmitJobCommand(submission(request, { queue, jobDefinition })),
        );
        return toJob(jobArn, jobId, request.name, queue);
      } catch (error) {
        // What Batch refuses once it refuses always; throttling and server errors are other classes and are retried.
        if (error instanceof ClientException) {
          throw ApplicationFailure.nonRetryable(`AWS Batch refuses the job: ${error.message}`, 'JobRejectedError');
        }
        throw error;
      }
    },

    async describe(ids) {
      const { jobs = [] } = await batch.send(new DescribeJobsCommand({ jobs: [...ids] }));
      const known = new Map(jobs.map((job) => [job.jobId, job]));
      return ids.map((id) => {
        const job = known.get(id);
        return job ? toView(job) : { id, status: 'LOST', attempts: 0, containers: [] };
      });
    },

    async *failedChildren(id) {
      let nextToken: string | undefined;
      do {
        const page = await batch.send(
          new ListJobsCommand({ arrayJobId: id, jobStatus: 'FAILED', ...(nextToken && { nextToken }) }),
        );
        const ids = (page.jobSummaryList ?? []).flatMap((job) => (job.jobId ? [job.jobId] : []));
        for (let first = 0; first < ids.length; first += DESCRIBE_LIMIT) {
          const some = ids.slice(first, first + DESCRIBE_LIMIT);
          const { jobs = [] } = await batch.send(new DescribeJobsCommand({ jobs: some }));
          yield jobs.map(toView);
        }
        nextToken = page.nextToken;
      } while (nextToken);
    },

    async attempts(asked, beat) {
      const ids = asked.flatMap((job) => job.ids);
      const found = new Map<string, AttemptView[]>();
      for (let first = 0; first < ids.length; first += DESCRIBE_LIMIT) {
        beat();
        const some = ids.slice(first, first + DESCRIBE_LIMIT);
        const { jobs = [] } = await batch.send(new DescribeJobsCommand({ jobs: some }));
        for (const job of jobs) found.set(job.jobId ?? '', attemptsOf(job));
      }
      return found;
    },

    whyNotPlaced: (id) => whyNotPlaced(batch, id),

    async terminate(id, reason) {
      await batch.send(new TerminateJobCommand({ jobId: id, reason }));
    },
  };
}

async function findByName(batch: BatchClient, queue: string, name: string) {
  const { jobSummaryList = [] } = await batch.send(
    new ListJobsCommand({ jobQueue: queue, filters: [{ name: 'JOB_NAME', values: [name] }], maxResults: 1 }),
  );
  return jobSummaryList[0];
}

/** `arn:aws:batch:<region>:<account>:job/<id>` */
function toJob(arn: string | undefined, id: string | undefined, name: string, queue: string): Job {
  const [, , , region = '', account = ''] = (arn ?? '').split(':');
  return { id: id ?? '', name, queue, account, region, logGroup: BATCH_LOG_GROUP };
}

/** Definitions known to be there: they are never deregistered while workers run. */
const registered = new Set<string>();

/** Definitions are named by their content: the same content is registered once, whoever comes first. */
async function ensureDefinition(
  batch: BatchClient,
  settings: BatchDependencies['settings'],
  request: JobRequest,
): Promise<string> {
  const content = definition(settings, request);
  const hash = createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 16);
  const jobDefinitionName = `longhaul-${hash}`;
  if (registered.has(jobDefinitionName)) return jobDefinitionName;
  const { jobDefinitions = [] } = await batch.send(
    new DescribeJobDefinitionsCommand({ jobDefinitionName, status: 'ACTIVE', maxResults: 1 }),
  );
  if (jobDefinitions.length === 0)
    await batch.send(new RegisterJobDefinitionCommand({ ...content, jobDefinitionName }));
  registered.add(jobDefinitionName);
  return jobDefinitionName;
}

function definition(settings: BatchDependencies['settings'], request: JobRequest): RegisterJobDefinitionCommandInput {
  const volumes = [
    { name: 'work', host: {} },
    ...(request.sharedFileSystem ? [sharedVolume(request.sharedFileSystem)] : []),
  ];
  const mountPoints = [
    { sourceVolume: 'work', containerPath: WORK_PATH },
    ...(request.sharedFileSystem ? [{ sourceVolume: 'shared', containerPath: SHARED_PATH }] : []),
  ];
  const helper = (name: 'stage' | 'keep' | 'publish') => ({
    name,
    image: settings.jobImage,
    command: [name],
    mountPoints,
    resourceRequirements: requirements(HELPER_RESOURCES.vcpus, HELPER_RESOURCES.memoryMiB),
  });
  return {
    jobDefinitionName: '',
    type: 'container',
    platformCapabilities: ['EC2'],
    ecsProperties: {
      taskProperties: [
        {
          ...(settings.jobRole && { taskRoleArn: settings.jobRole }),
          ...(settings.executionRole && { executionRoleArn: settings.executionRole }),
          volumes,
          containers: [
            { ...helper('stage'), essential: false },
            {
              name: 'main',
              image: request.image,
              essential: false,
              dependsOn: [{ containerName: 'stage', condition: 'SUCCESS' }],
              mountPoints,
              resourceRequirements: requirements(request.vcpus, request.memoryMiB),
            },
            ...(request.keep
              ? [
                  {
                    ...helper('keep'),
                    essential: false,
                    dependsOn: [{ containerName: 'stage', condition: 'SUCCESS' as const }],
                    // Seconds: the most ECS gives, for a last snapshot.
                    stopTimeout: 120,
                  },
                ]
              : []),
            {
              ...helper('publish'),
              essential: true,
              dependsOn: [
                { containerName: 'main', condition: 'COMPLETE' },
                ...(request.keep ? [{ containerName: 'keep', condition: 'COMPLETE' as const }] : []),
              ],
            },
          ],
        },
      ],
    },
  };
}

function sharedVolume(shared: SharedFileSystem) {
  return shared.type === 'efs'
    ? {
        name: 'shared',
        efsVolumeConfiguration: { fileSystemId: shared.fileSystemId ?? '', transitEncryption: 'ENABLED' as const },
      }
    : { name: 'shared', host: { sourcePath: shared.hostPath ?? '' } };
}

function toView(job: JobDetail): JobView {
  const summary = job.arrayProperties?.statusSummary;
  const count = (...names: JobStatus[]) => names.reduce((sum, name) => sum + (summary?.[name] ?? 0), 0);
  return {
    id: job.jobId ?? '',
    status: PARENTS_STATUS.find((status) => status === job.status) ?? 'SUBMITTED',
    attempts: job.attempts?.length ?? 0,
    ...(summary && {
      counts: { running: count('RUNNING', 'STARTING'), succeeded: count('SUCCEEDED'), failed: count('FAILED') },
    }),
    ...(job.startedAt && { startedAt: job.startedAt }),
    ...(job.statusReason && { reason: job.statusReason }),
    containers: containersOf(job),
  };
}

/** Those that have started and ended; the last of a job that SUCCEEDED is the one that did. */
function attemptsOf({ attempts = [], status, statusReason }: JobDetail): AttemptView[] {
  return attempts.flatMap(({ startedAt, stoppedAt, statusReason: reason = statusReason, taskProperties }, index) => {
    if (!startedAt || !stoppedAt) return [];
    const succeeded = status === 'SUCCEEDED' && index === attempts.length - 1;
    const containers = (taskProperties?.[0]?.containers ?? []).map(({ name = '', exitCode, reason: why }) => ({
      name,
      ...(exitCode !== undefined && { exitCode }),
      ...(why && { reason: why }),
    }));
    const cause = succeeded ? undefined : causeOf({ status: 'FAILED', ...(reason && { reason }), containers });
    return [{ attempt: index + 1, from: startedAt, to: stoppedAt, ...(cause && { cause }) }];
  });
}

/** How the containers of the last attempt ended; of an attempt still running, their log streams. */
function containersOf(job: JobDetail): ContainerView[] {
  const ended = job.attempts?.at(-1)?.taskProperties?.[0]?.containers;
  const current = job.ecsProperties?.taskProperties?.[0]?.containers ?? [];
  const running = job.status === 'STARTING' || job.status === 'RUNNING';
  return ((running ? undefined : ended) ?? current).map((container) => ({
    name: container.name ?? '',
    ...(container.exitCode !== undefined && { exitCode: container.exitCode }),
    ...(container.reason && { reason: container.reason }),
    ...(container.logStreamName && { logStream: container.logStreamName }),
  }));
}
