/**
 * A job in the shapes the API and the events show it.
 *
 * @module
 */
import type { AttemptDetail, JobDetail, JobSummary } from '@aws-sdk/client-batch';
import type { ContainerFacts, Job } from './job.ts';

export function detailOf(job: Job): JobDetail {
  const { spec, state } = job;
  return {
    jobArn: job.arn,
    jobName: spec.jobName,
    jobId: job.id,
    jobQueue: spec.queueArn,
    status: state.status,
    ...(spec.shareIdentifier !== undefined && {
      shareIdentifier: spec.shareIdentifier,
      schedulingPriority: spec.schedulingPriority,
    }),
    attempts: [...state.attempts],
    ...times(job),
    retryStrategy: spec.retryStrategy ?? { attempts: 1, evaluateOnExit: [] },
    dependsOn: spec.dependsOn,
    jobDefinition: spec.jobDefinition,
    parameters: spec.parameters,
    ...containersOf(job),
    ...arrayOf(job),
    ...(spec.timeout && { timeout: spec.timeout }),
    tags: spec.tags,
    propagateTags: spec.propagateTags,
    platformCapabilities: spec.platformCapabilities,
    isCancelled: state.isCancelled,
    isTerminated: state.isTerminated,
  } as JobDetail;
}

export function summaryOf(job: Job): JobSummary {
  const { spec, state } = job;
  const [container] = state.current?.containers ?? [];
  return {
    jobArn: job.arn,
    jobId: job.id,
    jobName: spec.jobName,
    status: state.status,
    ...times(job),
    ...(spec.container && container && { container: outcome(container) }),
    ...arrayOf(job),
    jobDefinition: spec.jobDefinition,
    ...(state.isCancelled && { isCancelled: true }),
    ...(state.isTerminated && { isTerminated: true }),
  };
}

/** The attempt that has just ended, as `attempts` lists it. */
export function attemptOf(job: Job, stoppedAt: number, statusReason: string): AttemptDetail {
  const { current } = job.state;
  const host = {
    ...(current?.containerInstanceArn && { containerInstanceArn: current.containerInstanceArn }),
    ...(current && { taskArn: current.taskArn }),
  };
  const containers = (current?.containers ?? []).map((container) => ({
    ...outcome(container),
    ...(container.logStreamName !== undefined && { logStreamName: container.logStreamName }),
    networkInterfaces: [],
  }));
  return {
    ...(job.spec.container
      ? { container: { ...host, ...containers[0] } }
      : {
          taskProperties: [
            {
              ...host,
              containers: containers.map((container, at) => ({ name: current?.containers[at]?.name, ...container })),
            },
          ],
        }),
    ...(current?.startedAt !== undefined && { startedAt: current.startedAt }),
    stoppedAt,
    statusReason,
  };
}

function times({ createdAt, state }: Job) {
  return {
    ...(state.statusReason !== undefined && { statusReason: state.statusReason }),
    createdAt,
    ...(state.startedAt !== undefined && { startedAt: state.startedAt }),
    ...(state.stoppedAt !== undefined && { stoppedAt: state.stoppedAt }),
  };
}

function arrayOf({ spec, index, summary, summaryUpdatedAt }: Job) {
  if (index !== undefined) return { arrayProperties: { index } };
  if (!summary) return {};
  return {
    arrayProperties: {
      statusSummary: { ...summary },
      size: spec.arraySize,
      statusSummaryLastUpdatedAt: summaryUpdatedAt,
    },
  };
}

function containersOf(job: Job): Pick<JobDetail, 'container' | 'ecsProperties'> {
  const { spec, state } = job;
  const { current } = state;
  const host = {
    ...(current?.containerInstanceArn && { containerInstanceArn: current.containerInstanceArn }),
    ...(current && { taskArn: current.taskArn }),
  };
  const facts = (name: string) => {
    const found = current?.containers.find((container) => container.name === name);
    return {
      ...(found && outcome(found)),
      ...(found?.logStreamName !== undefined && { logStreamName: found.logStreamName }),
      networkInterfaces: [],
    };
  };
  if (spec.container) return { container: { ...spec.container, ...host, ...facts('default') } };
  const containers = (spec.task?.containers ?? []).map((container) => ({
    ...container,
    ...facts(container.name ?? ''),
  }));
  return { ecsProperties: { taskProperties: [{ ...spec.task, ...host, containers }] } };
}

function outcome({ exitCode, reason }: ContainerFacts) {
  return { ...(exitCode !== undefined && { exitCode }), ...(reason !== undefined && { reason }) };
}
