/** Jobs under the stand-in's clock and fault hooks. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CancelJobCommand,
  RegisterJobDefinitionCommand,
  SubmitJobCommand,
  TerminateJobCommand,
  UpdateJobQueueCommand,
} from '@aws-sdk/client-batch';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Harness, openHarness } from './batch-harness.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await openHarness();
});
afterEach(async () => {
  vi.useRealTimers();
  await harness.close();
  await harness.remove();
});

const FOREVER = 'setInterval(() => {}, 1000)';
const HOUR_MS = 3_600_000;
const needs = (memory: string) => ({
  containerOverrides: {
    command: ['node', '-e', ''],
    resourceRequirements: [{ type: 'MEMORY' as const, value: memory }],
  },
});

describe('time', () => {
  it('ends an attempt that takes longer than its timeout', async () => {
    const id = await harness.submit(FOREVER, {
      timeout: { attemptDurationSeconds: 60 },
      retryStrategy: { attempts: 2 },
    });
    await harness.until(id, ({ status }) => status === 'RUNNING');
    harness.kit.clock.advance(60_000);
    const job = await harness.over(id);
    expect(job).toMatchObject({ status: 'FAILED', statusReason: 'Job attempt duration exceeded timeout' });
    expect(job.attempts).toHaveLength(1);
    expect(job.attempts?.[0]?.container?.exitCode).toBe(143);
  });

  it('kills what ignores SIGTERM when the stop timeout is over', async () => {
    const id = await harness.submit(`process.on('SIGTERM', () => {}); console.log('up'); ${FOREVER}`);
    await expect.poll(() => harness.lines.length).toBe(1);
    await harness.client.send(new TerminateJobCommand({ jobId: id, reason: 'enough' }));
    const job = await harness.over(id);
    expect(job).toMatchObject({ statusReason: 'enough', isTerminated: true, container: { exitCode: 137 } });
  });

  it('forgets jobs a day after they ended', async () => {
    const id = await harness.submit('');
    await harness.over(id);
    harness.kit.clock.advance(23 * HOUR_MS);
    expect(await harness.job(id)).toBeDefined();
    harness.kit.clock.advance(HOUR_MS + 1);
    expect(await harness.job(id)).toBeUndefined();
  });

  it('reports a job that can never be placed, and cancels it where the queue says so', async () => {
    const id = await harness.submit('', needs('60000'));
    const behind = await harness.submit('');
    await harness.until(id, ({ status }) => status === 'RUNNABLE');
    expect((await harness.job(id))?.statusReason).toBeUndefined();
    harness.kit.clock.advance(600_000);
    const reason = /^MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - The job resource requirement/;
    expect(await harness.job(id)).toMatchObject({ status: 'RUNNABLE', statusReason: expect.stringMatching(reason) });
    expect(harness.events.find(({ detailType }) => detailType === 'Batch Job Queue Blocked')).toMatchObject({
      detail: { jobId: id, statusReason: expect.stringMatching(reason) },
      resources: [expect.stringContaining(id), expect.stringContaining('job-queue/queue')],
    });
    expect((await harness.job(behind))?.status).toBe('RUNNABLE');
    harness.kit.clock.advance(3_000_000);
    expect(await harness.over(id)).toMatchObject({ status: 'FAILED', isCancelled: true });
    expect((await harness.over(behind)).status).toBe('SUCCEEDED');
  });

  it('keeps instances for a while', async () => {
    await harness.over(await harness.submit(''));
    const [first] = harness.batch.instanceIds();
    await harness.over(await harness.submit(''));
    expect(harness.batch.instanceIds()).toEqual([first]);
    harness.kit.clock.advance(301_000);
    expect(harness.batch.instanceIds()).toEqual([]);
  });
});

describe('hosts', () => {
  it('lost end their jobs, which are tried again on another', async () => {
    const id = await harness.submit(FOREVER, { retryStrategy: { attempts: 2 } });
    await harness.until(id, ({ status }) => status === 'RUNNING');
    const [instance = ''] = harness.batch.instanceIds();
    expect(harness.batch.loseInstance(instance)).toBe(true);
    const again = await harness.until(id, ({ status, attempts }) => status === 'RUNNING' && attempts?.length === 1);
    expect(again.attempts?.[0]?.statusReason).toBe(`Host EC2 (instance ${instance}) terminated.`);
    expect(harness.batch.instanceIds()).not.toContain(instance);
  });

  it('hold several jobs, and no more than fit', async () => {
    const small = await openHarness({ maxvCpus: 2 });
    const ids = [await small.submit(FOREVER), await small.submit(FOREVER), await small.submit(FOREVER)];
    await Promise.all(ids.slice(0, 2).map((id) => small.until(id, ({ status }) => status === 'RUNNING')));
    expect((await small.job(ids[2] ?? ''))?.status).toBe('RUNNABLE');
    expect(small.batch.instanceIds()).toHaveLength(1);
    await small.client.send(new TerminateJobCommand({ jobId: ids[0], reason: 'room' }));
    await small.until(ids[2] ?? '', ({ status }) => status === 'RUNNING');
    await small.close();
    await small.remove();
  });

  it('tell of themselves by IMDSv2 only', async () => {
    const id = await harness.submit(`
      const base = process.env.AWS_EC2_METADATA_SERVICE_ENDPOINT;
      (async () => {
        const bare = await fetch(base + '/latest/meta-data/instance-id');
        const token = await (await fetch(base + '/latest/api/token', { method: 'PUT', headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '60' } })).text();
        const get = async (path) => (await fetch(base + '/latest/meta-data/' + path, { headers: { 'x-aws-ec2-metadata-token': token } })).text();
        console.log([bare.status, await get('instance-id'), await get('instance-type'), await get('instance-life-cycle'), await get('placement/availability-zone')].join(' '));
      })()`);
    expect((await harness.over(id)).status).toBe('SUCCEEDED');
    const [instance] = harness.batch.instanceIds();
    expect(harness.lines.map(({ message }) => message)).toEqual([`401 ${instance} m5.large spot us-east-1a`]);
  });
});

describe('processes', () => {
  it('left behind by the main process end with it, also in a session of their own', async () => {
    const id = await harness.submit(`
      const { spawn } = require('node:child_process');
      const far = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
      const near = spawn('sleep', ['60'], { stdio: 'ignore' });
      console.log(far.pid); console.log(near.pid);
      setTimeout(() => process.exit(0), 200)`);
    await harness.over(id);
    const pids = harness.lines.map(({ message }) => Number(message));
    expect(pids).toHaveLength(2);
    for (const pid of pids) await expect.poll(() => isRunning(pid)).toBe(false);
  });

  it('that hold too much memory are killed, whichever of the tree it is', async () => {
    const hog = 'const held = []; setInterval(() => held.push(Buffer.alloc(20e6, 1)), 5)';
    const id = await harness.submit(`require('node:child_process').spawnSync('node', ['-e', ${JSON.stringify(hog)}])`, {
      containerOverrides: {
        command: ['node', '-e', `require('node:child_process').spawnSync('node', ['-e', ${JSON.stringify(hog)}])`],
        resourceRequirements: [{ type: 'MEMORY', value: '200' }],
      },
    });
    const job = await harness.over(id);
    expect(job).toMatchObject({
      status: 'FAILED',
      container: { exitCode: 137, reason: 'OutOfMemoryError: Container killed due to memory usage' },
    });
  });

  it('get a clean environment', async () => {
    process.env.LONGHAUL_LEAK = 'leak';
    const id = await harness.submit('console.log(Object.keys(process.env).sort().join())');
    await harness.over(id);
    delete process.env.LONGHAUL_LEAK;
    const names = harness.lines[0]?.message.split(',') ?? [];
    expect(names).not.toContain('LONGHAUL_LEAK');
    expect(names).toEqual(expect.arrayContaining(['AWS_BATCH_JOB_ID', 'AWS_ENDPOINT_URL', 'HOME', 'PATH', 'TMPDIR']));
  });

  it('may write much: no line is lost, the last one neither', async () => {
    const id = await harness.submit(
      "for (let i = 0; i < 200; i++) process.stdout.write('x'.repeat(99999) + '\\n'); process.stdout.write('last')",
    );
    await harness.over(id);
    expect(harness.lines.slice(0, 200).every(({ message }) => message.length === 99_999)).toBe(true);
    expect(harness.lines.slice(200).map(({ message }) => message)).toEqual(['last']);
  });

  it('share file systems by id, and need host folders that are there', async () => {
    const define = (volume: object) =>
      harness.client.send(
        new RegisterJobDefinitionCommand({
          jobDefinitionName: 'mounted',
          type: 'container',
          containerProperties: {
            image: 'node',
            command: ['node', '-e', "require('node:fs').appendFileSync('/shared/list', 'x')"],
            volumes: [{ name: 'shared', ...volume }],
            mountPoints: [{ sourceVolume: 'shared', containerPath: '/shared' }],
            resourceRequirements: [
              { type: 'VCPU', value: '1' },
              { type: 'MEMORY', value: '256' },
            ],
          },
        }),
      );
    await define({ efsVolumeConfiguration: { fileSystemId: 'fs-1' } });
    const mounted = { jobDefinition: 'mounted', containerOverrides: {} };
    for (let round = 0; round < 2; round += 1) await harness.over(await harness.submit('', mounted));
    expect(readFileSync(join(harness.directory, 'efs/fs-1/list'), 'utf8')).toBe('xx');
    await define({ host: { sourcePath: join(harness.directory, 'nowhere') } });
    const job = await harness.over(await harness.submit('', mounted));
    expect(job).toMatchObject({
      statusReason: 'Task failed to start',
      container: { reason: expect.stringMatching(/bind source path does not exist/) },
    });
  });

  it('leave no directories', async () => {
    const id = await harness.submit('console.log(process.cwd())');
    await harness.over(id);
    expect(existsSync(harness.lines[0]?.message ?? '/')).toBe(false);
  });
});

describe('quotas', () => {
  it('of SubmitJob answer 429', async () => {
    await harness.client.send(new UpdateJobQueueCommand({ jobQueue: 'queue', priority: 2 }));
    // The bucket refills by the clock, and 130 calls take a busy machine seconds.
    vi.useFakeTimers({ toFake: ['Date'] });
    const sends = Array.from({ length: 130 }, () => harness.submit('', needs('60000')));
    const outcomes = await Promise.allSettled(sends);
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason);
    expect(refused).toHaveLength(30);
    expect(refused[0]).toMatchObject({ name: 'TooManyRequestsException', $metadata: { httpStatusCode: 429 } });
  });
});

describe('arrays', () => {
  it('of 10,000 wait and are cancelled as one', async () => {
    const { jobId = '' } = await harness.client.send(
      new SubmitJobCommand({
        jobName: 'many',
        jobQueue: 'queue',
        jobDefinition: 'node',
        arrayProperties: { size: 10_000 },
        ...needs('60000'),
      }),
    );
    await harness.until(jobId, ({ arrayProperties }) => arrayProperties?.statusSummary?.RUNNABLE === 10_000);
    await harness.client.send(new CancelJobCommand({ jobId, reason: 'that will do' }));
    const job = await harness.over(jobId);
    expect(job).toMatchObject({
      status: 'FAILED',
      statusReason: 'that will do',
      arrayProperties: { size: 10_000, statusSummary: { FAILED: 10_000 } },
    });
  });

  it('in sequence of which one fails end without a deep stack', async () => {
    const jobId = await harness.submit('process.exit(1)', {
      arrayProperties: { size: 10_000 },
      dependsOn: [{ type: 'SEQUENTIAL' }],
    });
    const job = await harness.over(jobId);
    expect(job.arrayProperties?.statusSummary).toMatchObject({ FAILED: 10_000 });
    expect(await harness.job(`${jobId}:9999`)).toMatchObject({ statusReason: 'Dependent Job failed', attempts: [] });
  });
});

/** A zombie waits for whoever inherited it; it runs no more. */
function isRunning(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout.trim() !== '' && !stdout.startsWith('Z');
}
