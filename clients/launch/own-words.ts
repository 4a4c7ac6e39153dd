/**
 * What a compute service is called, and what of its own programs a person can ask about a job. Pure.
 *
 * @module
 */
import { currentJobs, type StepItem } from '../../lib/store/steps.ts';
import { COMPUTE_SERVICES, type ComputeService } from '../../workflows/launch/model.ts';

type Row = Pick<StepItem, 'compute_service' | 'job_queue' | 'jobs' | 'generation'>;

interface OwnWords {
  title: string;
  /** Commands that say how a job is; AWS Batch is asked by Longhaul itself. */
  ask(jobId: string, queue: string): string[];
}

const OWN_WORDS: Readonly<Record<ComputeService, OwnWords>> = {
  batch: { title: 'AWS Batch', ask: () => [] },
  slurm: {
    title: 'Slurm',
    ask: (jobId) => [`squeue --jobs=${jobId}`, `scontrol show job ${jobId}`],
  },
  ec2: {
    title: 'Amazon EC2',
    ask: (jobId) => [`aws ec2 describe-instances --filters Name=tag:longhaul:job,Values=${jobId}`],
  },
  eks: {
    title: 'Kubernetes',
    // The queue is `<cluster>/<namespace>`.
    ask: (jobId, queue) => {
      const kubectl = `kubectl --namespace ${queue.slice(queue.lastIndexOf('/') + 1)}`;
      return [
        `${kubectl} describe job ${jobId}`,
        `${kubectl} describe pods --selector batch.kubernetes.io/job-name=${jobId}`,
      ];
    },
  },
};

/** Rows written before there were several services name none. */
const wordsOf = ({ compute_service: name = 'batch' }: Pick<Row, 'compute_service'>): OwnWords | undefined => {
  const known = COMPUTE_SERVICES.find((service) => service === name);
  return known && OWN_WORDS[known];
};

export const runsOnBatch = ({ compute_service: name = 'batch' }: Pick<Row, 'compute_service'>): boolean =>
  name === 'batch';

export const runsOnKubernetes = ({ compute_service: name }: Pick<Row, 'compute_service'>): boolean => name === 'eks';

/** By the log group of its jobs: `kubernetes:<cluster>/<namespace>`. */
export function clusterOf(group: string): { cluster: string; namespace: string } {
  const [, cluster = '', namespace = ''] = /^kubernetes:(.*)\/([^/]*)$/.exec(group) ?? [];
  return { cluster, namespace };
}

/** Of the jobs of a step on Kubernetes: what prints all that main has written. */
export function logCommand({ log_group: group, ...row }: Pick<StepItem, 'log_group' | 'jobs' | 'generation'>): string {
  const ids = currentJobs(row).map(({ id }) => id);
  const jobs = `--selector 'batch.kubernetes.io/job-name in (${ids.join(',')})'`;
  return `kubectl --namespace ${clusterOf(group).namespace} logs ${jobs} --container main --prefix --tail=-1`;
}

/** Its name as people know it. */
export const serviceTitle = (row: Pick<Row, 'compute_service'>): string =>
  wordsOf(row)?.title ?? row.compute_service ?? '';

/** Of the first job of the current generation: it speaks for the others. */
export function commandsAbout(row: Row): string[] {
  const [job] = currentJobs(row);
  return job ? (wordsOf(row)?.ask(job.id, row.job_queue ?? '') ?? []) : [];
}
