/** How a job ended, by what Slurm says where the job program could not say it. */
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ComputeService } from '../../activities/launch/compute/service.ts';
import { createSlurmCompute } from '../../activities/launch/compute/slurm.ts';
import { endingOf } from '../../activities/launch/failures.ts';
import { endingsOfName, formatEnding } from '../../lib/launch/endings.ts';
import { putText } from '../../lib/s3-objects.ts';
import { readSettings } from '../../lib/settings.ts';
import { causeOf } from '../../workflows/launch/causes.ts';
import { openStandIns, type StandIns } from '../support/stand-ins.ts';

const NAME = 'lh-run-1-work-1-1-0-4';
const settings = readSettings({ LONGHAUL_SLURM_HOST: 'local' });

let standIns: StandIns;
let service: ComputeService;
/** What squeue says, as wait(2) has the status, and what sacct says. */
const says = { squeue: '', sacct: '' };

beforeAll(async () => {
  standIns = await openStandIns();
  await standIns.s3.send(new CreateBucketCommand({ Bucket: settings.bucket }));
  service = createSlurmCompute({
    s3: standIns.s3,
    logs: new CloudWatchLogsClient({ region: 'us-east-1' }),
    settings,
    variables: {},
    transport: async ([program]) => ({ code: 0, stderr: '', stdout: says[program as keyof typeof says] ?? '' }),
  });
});
afterAll(() => standIns.close());

async function told(id: string) {
  const [view] = await service.describe([id]);
  if (!view) throw new Error('nothing is said of the job');
  return { ...view, cause: causeOf(endingOf(view)) };
}

describe('a job that was killed before it could say anything', () => {
  it.each([
    ['could not be launched', '16|FAILED|9|0|1795643377|', '|JobLaunchFailure|', 'FAILED: signal 9, JobLaunchFailure'],
    ['was killed', '16|FAILED|9|0|1795643377|', '|None|', 'FAILED: signal 9'],
    ['was killed in a shell of slurmJobs', '16|FAILED|35072|0|1795643377|', '|None|', 'FAILED: signal 9'],
  ])('and %s has not run out of memory, as far as anybody knows', async (_, before, after, reason) => {
    Object.assign(says, { squeue: `${before}${NAME}${after}\n`, sacct: '' });

    expect(await told('16')).toMatchObject({ status: 'FAILED', reason, cause: 'INTERRUPTED' });
  });

  it('is told so by accounting too', async () => {
    Object.assign(says, { squeue: '', sacct: `16|FAILED|0:9|1795643377|${NAME}\n` });

    expect(await told('16')).toMatchObject({ reason: 'FAILED: signal 9', cause: 'INTERRUPTED' });
  });

  it('has run out of memory where Slurm says so', async () => {
    Object.assign(says, { squeue: `16|OUT_OF_MEMORY|9|0|1795643377|${NAME}|OutOfMemory|\n`, sacct: '' });

    expect(await told('16')).toMatchObject({ cause: 'OUT_OF_MEMORY' });
  });

  it('was ended by somebody where Slurm says so', async () => {
    Object.assign(says, { squeue: '', sacct: `16|CANCELLED by 1000|0:9|1795643377|${NAME}\n` });

    expect(await told('16')).toMatchObject({ cause: 'TERMINATED' });
  });
});

it('a job program that ended by itself without a word has the exit code it had', async () => {
  Object.assign(says, { squeue: '', sacct: `17|FAILED|127:0|1795643377|${NAME}\n` });

  expect(await told('17')).toMatchObject({ containers: [{ name: 'stage', exitCode: 127 }], cause: 'INTERRUPTED' });
});

it('the job program counts more than the signal', async () => {
  const ending = { index: 0, attempt: 1, container: 'main', exitCode: 137, way: 'memory' } as const;
  await putText(standIns.s3, `${endingsOfName(settings.bucket, NAME)}18/${formatEnding(ending)}`, '\n', 'text/plain');
  Object.assign(says, { squeue: '', sacct: `18|FAILED|137:0|1795643377|${NAME}\n` });

  expect(await told('18')).toMatchObject({ cause: 'OUT_OF_MEMORY' });
});
