/** Launches while things go wrong around them. Each ends COMPLETE with the right outputs, and nothing happens twice. */
import { DescribeJobsCommand, ListJobsCommand, SubmitJobCommand } from '@aws-sdk/client-batch';
import { DisableRuleCommand, EnableRuleCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launchOutputs } from '../../clients/launch/outputs.ts';
import { workflowIdOf } from '../../workflows/launch/model.ts';
import { sheet } from '../support/live-sheet.ts';
import { type Longhaul, openLonghaul } from '../support/longhaul.ts';
import { until } from '../support/stand-ins.ts';

let longhaul: Longhaul;

beforeAll(async () => {
  longhaul = await openLonghaul();
});
afterEach(() => longhaul.faults([]));
afterAll(() => longhaul?.close());

/** Two scattered items, then one that joins them; `pause` seconds give the fault time to land. */
const chain = (launchId: string, pause = 0) =>
  sheet(
    launchId,
    {
      part: {
        scatter: ['sample'],
        command: `sleep ${pause}\necho \${{ sample }} > part`,
        outputs: { part: 'part' },
        retries: 3,
      },
      whole: {
        command: 'cat ${{ inputs.parts }} > whole',
        inputs: { parts: { from: 'part.part', gather: true } },
        outputs: { whole: 'whole' },
      },
    },
    // Each of these launches has to run, also after another has done the same.
    { scatter: { sample: ['a', 'b'] }, cache: false },
  );

async function expectWhole(launchId: string): Promise<void> {
  const progress = await longhaul.follow(launchId);
  expect(progress.error).toBeUndefined();
  expect(progress.status).toBe('COMPLETE');
  const outputs = await launchOutputs(longhaul.aws.s3, 'longhaul', launchId);
  expect(outputs.map(({ step, item }) => `${step}/${item}`)).toEqual(['part/a', 'part/b', 'whole/all']);
  expect(await longhaul.read(outputs[2]?.address ?? '')).toBe('a\nb\n');
}

const jobsNamed = async (name: string) => {
  const list = new ListJobsCommand({ jobQueue: 'longhaul', filters: [{ name: 'JOB_NAME', values: [name] }] });
  return (await longhaul.aws.batch.send(list)).jobSummaryList ?? [];
};

/** The row of a launch's first step, once it is there: Batch knows the job a moment earlier. */
const submitted = (launchId: string) =>
  until('a submitted step', async () => (await longhaul.steps.ofLaunch(launchId, 1))[0], 20_000);

describe('a launch', () => {
  it('goes on by the poller when every event of its jobs is lost', async () => {
    const rules = new EventBridgeClient({});
    await rules.send(new DisableRuleCommand({ Name: 'longhaul-batch-jobs' }));
    try {
      await longhaul.put('sheets/lab-a/deaf.yaml', chain('deaf-1'));
      await expectWhole('deaf-1');
    } finally {
      await rules.send(new EnableRuleCommand({ Name: 'longhaul-batch-jobs' }));
      rules.destroy();
    }
  });

  it('has one job only when the answer to SubmitJob is lost', async () => {
    await longhaul.faults([
      { service: 'batch', operation: 'SubmitJob', subject: 'lost-1', effect: 'reset', when: 'after' },
    ]);
    await longhaul.put('sheets/lab-a/lost.yaml', chain('lost-1'));

    await expectWhole('lost-1');

    expect(
      (await longhaul.calls({ service: 'batch', operation: 'SubmitJob' })).filter(({ error }) => error === 'reset'),
    ).toHaveLength(1);
    expect(await jobsNamed('lh-lost-1-part-1-1-0-4')).toHaveLength(1);
    const claims = await longhaul.calls({ service: 's3', operation: 'PutObject' });
    const commits = claims.filter(({ subject, status }) => subject.includes('lost-1/commits/') && status === 200);
    expect(commits).toHaveLength(3);
  });

  it('comes through a storm of throttling and errors', async () => {
    await longhaul.faults([
      { service: 'batch', effect: 'throttle', share: 0.3, seed: 11 },
      { service: 'dynamodb', effect: 'throttle', share: 0.2, seed: 12 },
      { service: 's3', effect: 'error', share: 0.1, seed: 13, status: 500, code: 'InternalError' },
      { service: 'sqs', operation: 'DeleteMessage', effect: 'reset', when: 'after', share: 0.5, seed: 14 },
    ]);
    await longhaul
      .put('sheets/lab-a/storm.yaml', chain('storm-1'))
      .catch(() => longhaul.put('sheets/lab-a/storm.yaml', chain('storm-1')));

    await longhaul.follow('storm-1');
    await longhaul.faults([]);
    await expectWhole('storm-1');
  });

  it('goes on when its worker is killed', async () => {
    await longhaul.put('sheets/lab-a/killed.yaml', chain('killed-1', 2));
    await submitted('killed-1');
    const worker = longhaul.platform.status().find(({ name }) => name === 'worker');
    process.kill(-(worker?.pid ?? 0), 'SIGKILL');

    await expectWhole('killed-1');

    expect(longhaul.platform.status().find(({ name }) => name === 'worker')?.restarts).toBeGreaterThan(0);
  });

  it('goes on when the host of its jobs is lost', async () => {
    await longhaul.put('sheets/lab-a/host.yaml', chain('host-1', 3));
    const parent = () => longhaul.steps.ofLaunch('host-1', 1).then(([row]) => row?.job_id ?? '');
    await expect
      .poll(async () => {
        const id = await parent();
        if (!id) return [];
        const { jobs = [] } = await longhaul.aws.batch.send(new DescribeJobsCommand({ jobs: [`${id}:0`, `${id}:1`] }));
        return jobs.map(({ status }) => status);
      })
      .toEqual(['RUNNING', 'RUNNING']);
    await longhaul.action('POST lose-instance');

    await expectWhole('host-1');

    const { jobs = [] } = await longhaul.aws.batch.send(new DescribeJobsCommand({ jobs: [`${await parent()}:0`] }));
    expect(jobs[0]?.attempts?.[0]?.statusReason).toMatch(/^Host EC2 \(instance i-[0-9a-f]+\) terminated\.$/);
    expect(jobs[0]?.attempts).toHaveLength(2);
  });

  it('is not hurt by a doubled job', async () => {
    await longhaul.put('sheets/lab-a/doubled.yaml', chain('doubled-1', 1));
    const row = await submitted('doubled-1');
    const { jobs = [] } = await longhaul.aws.batch.send(new DescribeJobsCommand({ jobs: [row.job_id ?? ''] }));
    const containers = jobs[0]?.ecsProperties?.taskProperties?.[0]?.containers ?? [];
    const twin = await longhaul.aws.batch.send(
      new SubmitJobCommand({
        jobName: 'twin',
        jobQueue: 'longhaul',
        jobDefinition: jobs[0]?.jobDefinition,
        arrayProperties: { size: 2 },
        ecsPropertiesOverride: {
          taskProperties: [
            {
              containers: containers.map(({ name, command, environment }) => ({
                name,
                ...(command?.length && { command }),
                environment,
              })),
            },
          ],
        },
      }),
    );

    await expectWhole('doubled-1');

    // Whoever claimed an item first has done it; the other was told so.
    for (const index of [0, 1]) {
      const stageCodes = async () => {
        const ids = [`${row.job_id}:${index}`, `${twin.jobId}:${index}`];
        const children = await longhaul.aws.batch.send(new DescribeJobsCommand({ jobs: ids }));
        return (children.jobs ?? [])
          .map(({ attempts }) => attempts?.[0]?.taskProperties?.[0]?.containers?.find(({ name }) => name === 'stage'))
          .map((stage) => stage?.exitCode)
          .toSorted();
      };
      await expect.poll(stageCodes).toEqual([0, 64]);
    }
  });

  it('that was terminated from outside leaves no job running', async () => {
    await longhaul.put('sheets/lab-a/gone.yaml', sheet('gone-1', { a: { command: 'sleep 300' } }));
    const row = await submitted('gone-1');
    await expect.poll(async () => (await longhaul.steps.ofLaunch('gone-1', 1))[0]?.state).toBe('RUNNING');

    await longhaul.temporal.client.workflow.getHandle(workflowIdOf('gone-1')).terminate('by the operator');

    await expect
      .poll(async () => {
        const { jobs = [] } = await longhaul.aws.batch.send(new DescribeJobsCommand({ jobs: [row.job_id ?? ''] }));
        return jobs[0]?.statusReason;
      })
      .toBe('the launch is gone');
    await expect.poll(async () => (await longhaul.launches.get('gone-1'))?.status).toBe('CANCELLED');
    expect((await longhaul.launches.get('gone-1'))?.error_type).toBe('LaunchTerminatedError');
  });
});
