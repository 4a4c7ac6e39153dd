/** Whom `launch explain` asks: AWS Batch of its own jobs alone. */
import type { BatchClient } from '@aws-sdk/client-batch';
import type { Client } from '@temporalio/client';
import { expect, it } from 'vitest';
import { explainLaunch } from '../../clients/launch/explain.ts';
import type { LaunchStore } from '../../lib/store/launches.ts';
import type { StepStore } from '../../lib/store/steps.ts';

/** @returns the diagnosis, and what AWS Batch was asked */
async function explain(service: string | undefined) {
  const asked: string[] = [];
  const row = {
    step: 'work',
    state: 'RUNNABLE',
    generation: 1,
    job_id: '12',
    job_queue: 'default',
    jobs: [{ id: '12', name: 'n', generation: 1, shard: 0, items: 1 }],
    open_in: 'slurm/cluster',
    items: { total: 1, running: 0, succeeded: 0, failed: 0 },
    vcpus: 1,
    memory_mib: 1,
    submitted_at: '2026-03-02T08:00:00Z',
    ...(service !== undefined && { compute_service: service }),
  };
  const diagnosis = await explainLaunch(
    {
      launches: { get: async () => ({ launch_id: 'run-1', status: 'RUNNING', attempt: 1 }) } as unknown as LaunchStore,
      steps: { ofLaunch: async () => [row] } as unknown as StepStore,
      restores: { get: async () => undefined },
      batch: {
        async send(command: object) {
          asked.push(command.constructor.name);
          return {};
        },
      } as unknown as BatchClient,
      client: {
        workflow: {
          getHandle: () => ({ describe: () => Promise.reject(new Error('down')) }),
        },
      } as unknown as Client,
      namespace: 'default',
    },
    'run-1',
  );
  return { diagnosis, asked };
}

it.each(['slurm', 'ec2', 'eks'])('of a job of %s AWS Batch is not asked', async (service) => {
  const { diagnosis, asked } = await explain(service);

  expect(asked).toEqual([]);
  expect(JSON.stringify(diagnosis)).not.toContain('job queue default is not there');
  expect(diagnosis?.cause).toBe('WAITING_FOR_CAPACITY');
});

it('of a job of AWS Batch it is, of those too that were written before there were others', async () => {
  for (const service of ['batch', undefined]) {
    const { asked } = await explain(service);
    expect(asked).toEqual(expect.arrayContaining(['DescribeJobQueuesCommand', 'DescribeJobsCommand']));
  }
});
