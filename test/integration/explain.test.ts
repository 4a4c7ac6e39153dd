/** What a person is told while a launch is stuck, and after it has failed. */
import { DescribeComputeEnvironmentsCommand, UpdateComputeEnvironmentCommand } from '@aws-sdk/client-batch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WORKFLOW_TASK_QUEUE } from '../../workflows/kit/queues.ts';
import { sheet } from '../support/live-sheet.ts';
import { type Longhaul, openLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await openLonghaul();
});
afterAll(() => longhaul?.close());

const explain = async (launchId: string) => {
  const answer = await longhaul.cli('launch', 'explain', launchId, '--json');
  expect(answer).toMatchObject({ code: 0 });
  return answer.json() as { cause: string; summary: string; remedy: string; evidence: string[] };
};
const environment = async (state: 'ENABLED' | 'DISABLED', maxvCpus?: number) => {
  await longhaul.aws.batch.send(
    new UpdateComputeEnvironmentCommand({
      computeEnvironment: 'longhaul',
      state,
      ...(maxvCpus !== undefined && { computeResources: { maxvCpus } }),
    }),
  );
  await expect
    .poll(async () => {
      const { computeEnvironments } = await longhaul.aws.batch.send(new DescribeComputeEnvironmentsCommand({}));
      return computeEnvironments?.map((one) => `${one.state} ${one.status}`);
    })
    .toEqual([`${state} VALID`]);
};

describe('launch explain', () => {
  it('says why a job cannot be placed while it waits, and nothing once it runs', async () => {
    await longhaul.put(
      'sheets/lab-a/stuck.yaml',
      sheet('stuck-1', { first: { command: 'sleep 3' }, second: { command: 'echo done', after: ['first'] } }),
    );
    await expect.poll(async () => (await longhaul.launches.get('stuck-1'))?.status).toBe('RUNNING');
    await environment('DISABLED');
    await expect
      .poll(async () => (await longhaul.steps.ofLaunch('stuck-1', 1)).find(({ step }) => step === 'second')?.state)
      .toBe('RUNNABLE');
    // AWS Batch takes ten minutes to say that a queue is blocked.
    await longhaul.action('POST clock', { advanceMs: 11 * 60_000 });
    await expect.poll(async () => (await explain('stuck-1')).cause).toBe('STUCK');
    const found = await explain('stuck-1');
    expect(found.summary).toContain('second');
    expect(found.remedy).toContain('compute environment is enabled');
    expect(found.evidence.join('\n')).toMatch(/UNDETERMINED[\s\S]*compute environment longhaul is DISABLED/);
    const shown = async () => (await longhaul.cli('launch', 'show', 'stuck-1')).stdout;
    await expect.poll(shown).toContain('cannot be placed: UNDETERMINED');

    await environment('ENABLED');
    expect(await longhaul.follow('stuck-1')).toMatchObject({ status: 'COMPLETE' });
    expect(await explain('stuck-1')).toMatchObject({ cause: 'HEALTHY' });
  });

  it('says what a failed launch failed of, with the last lines of its log', async () => {
    await longhaul.put(
      'sheets/lab-a/failed.yaml',
      sheet('failed-1', { work: { command: 'echo the reference has no chromosome 23 >&2\nexit 3' } }),
    );
    expect(await longhaul.follow('failed-1')).toMatchObject({ status: 'FAILED' });
    expect(await explain('failed-1')).toMatchObject({
      cause: 'EXIT_CODE',
      summary: 'step work: 1 of 1 items failed; all the command failed',
      evidence: expect.arrayContaining(['log | the reference has no chromosome 23']),
    });
    const text = (await longhaul.cli('launch', 'explain', 'failed-1')).stdout;
    expect(text).toMatch(/Cause: +EXIT_CODE[\s\S]*Remedy: +[\s\S]*launch retry failed-1[\s\S]*Evidence:/);
  });

  it('says what does not get through', async () => {
    await longhaul.faults([{ service: 'batch', operation: 'SubmitJob', effect: 'throttle', times: 10_000 }]);
    await longhaul.put('sheets/lab-a/throttled.yaml', sheet('throttled-1', { work: { command: 'true' } }));
    await expect.poll(async () => (await explain('throttled-1').catch(() => undefined))?.cause).toBe('RETRYING');
    expect((await explain('throttled-1')).evidence.join('\n')).toContain('submitStep');
    await longhaul.faults([]);
    expect(await longhaul.follow('throttled-1')).toMatchObject({ status: 'COMPLETE' });
  });

  it("says of what the workflow's own code fails, also where signals come in between", async () => {
    // As a build would be that has no code for it.
    const started = await longhaul.temporal.client.workflow.start('launchOfAnotherBuild', {
      workflowId: 'launch/wrong-1',
      taskQueue: WORKFLOW_TASK_QUEUE,
    });
    const at = new Date().toISOString();
    await longhaul.launches.register({
      launch_id: 'wrong-1',
      status: 'RUNNING',
      statuses: { RUNNING: at },
      attempt: 1,
      sequence: 1,
      workflow_id: 'launch/wrong-1',
      run_id: started.firstExecutionRunId,
      created_at: at,
      configuration_file: 's3://longhaul/sheets/lab-a/wrong.yaml',
    });
    for (let signals = 0; signals < 3; signals += 1) await started.signal('jobsChanged', []);

    await expect.poll(async () => (await explain('wrong-1')).cause).toBe('WORKFLOW_TASK_FAILING');
    const found = await explain('wrong-1');
    expect(found.evidence.join('\n')).toContain('launchOfAnotherBuild');
    await started.terminate();
  });

  it('knows no launch that is not there', async () => {
    expect(await longhaul.cli('launch', 'explain', 'nobody')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('there is no launch nobody'),
    });
  });
});
