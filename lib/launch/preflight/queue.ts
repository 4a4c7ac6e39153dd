/**
 * Is there a queue that takes jobs and an environment that runs them?
 *
 * @module
 */
import type { ComputeEnvironmentDetail } from '@aws-sdk/client-batch';
import type { Finding } from '../../../workflows/launch/preflight.ts';
import { isFargate, isUsable, type QueueWithEnvironments } from '../batch-queue.ts';

/** What Batch does not even look up: a name that cannot be one, an ARN of another account or Region. */
export const refusedQueue = (name: string, why: string): Finding => ({
  level: 'error',
  check: 'queue',
  at: 'batchQueue',
  message: `AWS Batch refuses ${name} as the name of a job queue: ${why}`,
  remedy: 'set batchQueue to the name or ARN of a job queue of this account and Region',
});

/** @param name the setting batchQueue */
export function checkQueue(name: string, read: QueueWithEnvironments | undefined): Finding[] {
  const error = (message: string, remedy: string): Finding => ({
    level: 'error',
    check: 'queue',
    at: 'batchQueue',
    message,
    remedy,
  });
  if (!read) {
    return [
      error(`there is no job queue ${name} in this account and Region`, 'create it, or set batchQueue to one there is'),
    ];
  }
  const { queue, environments } = read;
  const findings: Finding[] = [];
  if (queue.state !== 'ENABLED') {
    findings.push(error(`the job queue ${name} is ${queue.state}${why(queue)}`, 'enable the job queue'));
  }
  if (queue.status !== 'VALID' && queue.status !== 'UPDATING') {
    findings.push(
      error(
        `the job queue ${name} has the status ${queue.status}${why(queue)}`,
        'mend what the status says, or make it anew',
      ),
    );
  }
  if (environments.length === 0) {
    findings.push(error(`the job queue ${name} has no compute environment`, 'connect an enabled compute environment'));
  } else if (!environments.some(isUsable)) {
    findings.push(
      error(
        `no compute environment of the job queue ${name} is enabled and valid: ${environments.map(describe).join('; ')}`,
        'enable a compute environment of the queue, or mend what its status says',
      ),
    );
  } else if (environments.filter(isUsable).every(notOnEc2)) {
    findings.push(
      error(
        `the job queue ${name} has no EC2 compute environment, and Longhaul's jobs are registered for EC2 on ECS`,
        'connect a compute environment of the type EC2 or SPOT',
      ),
    );
  }
  for (const environment of environments.filter((one) => environments.some(isUsable) && !isUsable(one))) {
    findings.push({
      level: 'warning',
      check: 'queue',
      at: 'batchQueue',
      message: `one compute environment of the job queue ${name} takes no jobs: ${describe(environment)}`,
      remedy: 'enable it or mend what its status says, or take it off the queue',
    });
  }
  return findings;
}

const why = ({ statusReason }: { statusReason?: string | undefined }) => (statusReason ? ` (${statusReason})` : '');

const describe = (environment: ComputeEnvironmentDetail): string =>
  `${environment.computeEnvironmentName} is ${environment.state} and ${environment.status}${why(environment)}`;

const notOnEc2 = (environment: ComputeEnvironmentDetail): boolean =>
  isFargate(environment) || environment.containerOrchestrationType === 'EKS';
