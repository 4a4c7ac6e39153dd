/** Events lost, doubled and shuffled; hosts lost with zombies left behind; workers and the server killed at random. */
import { DescribeJobsCommand } from '@aws-sdk/client-batch';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launchOutputs } from '../../clients/launch/outputs.ts';
import { mulberry32 } from '../../infra/local/kit/faults.ts';
import { sheet } from '../support/live-sheet.ts';
import { type Longhaul, openLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
/** More of everything with `npm run test:faults`. */
const FULL = process.env.LONGHAUL_FAULTS === 'full';
const SEED = Number(process.env.LONGHAUL_FAULTS_SEED ?? 20_261_124);

beforeAll(async () => {
  longhaul = await openLonghaul();
});
afterEach(() => longhaul.faults([]));
afterAll(() => longhaul?.close());

const chain = (launchId: string, pause = 0) =>
  sheet(
    launchId,
    {
      part: {
        scatter: ['sample'],
        command: `sleep ${pause}\necho \${{ sample }} > part`,
        outputs: { part: 'part' },
        retries: { hostLoss: 9, exit: 2 },
      },
      middle: {
        scatter: ['sample'],
        command: 'cat ${{ inputs.part }} > part',
        inputs: { part: { from: 'part.part' } },
        outputs: { part: 'part' },
      },
      whole: {
        command: 'cat ${{ inputs.parts }} > whole',
        inputs: { parts: { from: 'middle.part', gather: true } },
        outputs: { whole: 'whole' },
      },
    },
    { scatter: { sample: ['a', 'b'] }, cache: false },
  );

async function expectWhole(launchId: string): Promise<void> {
  const progress = await longhaul.follow(launchId);
  expect(progress, launchId).toMatchObject({ status: 'COMPLETE' });
  const whole = (await launchOutputs(longhaul.aws.s3, 'longhaul', launchId)).find(({ step }) => step === 'whole');
  expect(await longhaul.read(whole?.address ?? ''), launchId).toBe('a\nb\n');
}

/** From the end of each step's last job to the end of the step, in milliseconds. */
async function delaysOf(launchId: string): Promise<number[]> {
  const rows = await longhaul.steps.ofLaunch(launchId, 1);
  const ids = rows.flatMap(({ job_id: id }) => id ?? []);
  const { jobs = [] } = await longhaul.aws.batch.send(new DescribeJobsCommand({ jobs: ids }));
  return rows.map((row) => {
    const job = jobs.find(({ jobId }) => jobId === row.job_id);
    return Date.parse(row.ended_at ?? '') - (job?.stoppedAt ?? Number.NaN);
  });
}

const process_ = (name: string) => longhaul.platform.status().find((one) => one.name === name);

describe('launches come through', () => {
  it('a storm of events: 30 % lost, 30 % doubled, all shuffled', async () => {
    const ids = Array.from({ length: FULL ? 30 : 10 }, (_, index) => `storm-${index}`);
    const rule = 'longhaul-batch-jobs';
    await longhaul.faults([
      { service: 'events', operation: 'Deliver', subject: rule, effect: 'reset', share: 0.3, seed: SEED },
      { service: 'events', operation: 'Deliver', subject: rule, effect: 'double', share: 0.43, seed: SEED + 1 },
      {
        service: 'events',
        operation: 'Arrive',
        subject: rule,
        effect: 'delay',
        share: 1,
        delayMs: 1_500,
        jitter: true,
        seed: SEED + 2,
      },
    ]);
    for (const id of ids) await longhaul.put(`sheets/lab-a/${id}.yaml`, chain(id));
    for (const id of ids) await expectWhole(id);
    const delays = (await Promise.all(ids.map(delaysOf))).flat();
    const { hits } = (await longhaul.action('GET faults')) as { hits: number[] };
    console.log(
      `event storm, seed ${SEED}: ${ids.length} launches COMPLETE; ${hits[0]} events lost, ${hits[1]} doubled, ${hits[2]} shuffled; from a job's end to its step's end at most ${Math.max(...delays)} ms, at a poll interval of 2 s`,
    );
    for (const count of hits) expect(count).toBeGreaterThan(3);
  }, 300_000);

  it('zombies: attempts that go on after their host was given up', async () => {
    await longhaul.put('sheets/lab-a/zombie.yaml', chain('zombie-1', 4));
    await expect
      .poll(async () => {
        const { instanceIds } = (await longhaul.action('GET instances')) as { instanceIds: string[] };
        const row = (await longhaul.steps.ofLaunch('zombie-1', 1))[0];
        return row?.state === 'RUNNING' ? instanceIds : [];
      })
      .not.toEqual([]);
    await longhaul.action('POST lose-instance', { zombies: true });
    await expectWhole('zombie-1');
    const commits = (await longhaul.calls({ service: 's3', operation: 'PutObject' })).filter(({ subject }) =>
      subject.includes('/zombie-1/commits/'),
    );
    const refused = commits.filter(({ status }) => status === 412);
    const written = commits.filter(({ status }) => status === 200).map(({ subject }) => subject);
    console.log(`zombies: ${written.length} commits, ${refused.length} refused`);
    expect(new Set(written).size).toBe(written.length);
    expect(written).toHaveLength(5);
  });

  it('kill -9 of the worker at random moments, and of the Temporal server once', async () => {
    const random = mulberry32(SEED);
    const kills = FULL ? 20 : 5;
    let started = 0;
    const start = async () => {
      started += 1;
      await longhaul.put(`sheets/lab-a/killed-${started}.yaml`, chain(`killed-${started}`, 1));
    };
    for (let kill = 1; kill <= kills; kill += 1) {
      await start();
      await new Promise((resolve) => setTimeout(resolve, 500 + random() * 5_000));
      await expect.poll(() => process_('worker')?.state).toBe('running');
      process.kill(-(process_('worker')?.pid ?? 0), 'SIGKILL');
      if (kill === Math.ceil(kills / 2)) process.kill(-(process_('temporal')?.pid ?? 0), 'SIGKILL');
    }
    for (let launch = 1; launch <= started; launch += 1) await expectWhole(`killed-${launch}`);
    console.log(
      `killed at random, seed ${SEED}: worker ${process_('worker')?.restarts} times, Temporal ${process_('temporal')?.restarts} time; ${started} launches COMPLETE`,
    );
    expect(process_('temporal')?.restarts).toBe(1);
  }, 900_000);
});
