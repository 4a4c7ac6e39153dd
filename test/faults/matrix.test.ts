/**
 * The crash matrix: every call by which a launch changes something, lost before it has its effect, lost after it, and
 * with the worker killed at either moment. Each launch ends COMPLETE with right outputs; nothing is done twice.
 */
import { ListJobsCommand } from '@aws-sdk/client-batch';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launchOutputs } from '../../clients/launch/outputs.ts';
import type { FaultRule } from '../../infra/local/kit/faults.ts';
import { sheet } from '../support/live-sheet.ts';
import { type Longhaul, openLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await openLonghaul();
});
afterEach(() => longhaul.faults([]));
afterAll(() => longhaul?.close());

/** A call that changes something: which activity or container makes it, and how it is known in the call log. */
interface Mutation extends Pick<FaultRule, 'service' | 'operation' | 'nth'> {
  by: string;
  subject: (launchId: string) => string;
}

const MUTATIONS: readonly Mutation[] = [
  { by: 'registerLaunch', service: 'dynamodb', operation: 'PutItem', subject: (id) => `Launches/${id}` },
  { by: 'planLaunch: inventory', service: 's3', operation: 'PutObject', subject: (id) => `${id}/attempts/1/inputs` },
  { by: 'planLaunch: plan', service: 's3', operation: 'PutObject', subject: (id) => `${id}/attempts/1/plan` },
  { by: 'planLaunch: registry', service: 'dynamodb', operation: 'UpdateItem', subject: (id) => `Launches/${id}` },
  { by: 'recordStatus', service: 'dynamodb', operation: 'UpdateItem', nth: 2, subject: (id) => `Launches/${id}` },
  {
    by: 'recordStatus, the last',
    service: 'dynamodb',
    operation: 'UpdateItem',
    nth: 4,
    subject: (id) => `Launches/${id}`,
  },
  {
    by: 'submitStep: items',
    service: 's3',
    operation: 'PutObject',
    subject: (id) => `${id}/attempts/1/steps/part/items`,
  },
  {
    by: 'submitStep: manifest',
    service: 's3',
    operation: 'PutObject',
    subject: (id) => `${id}/attempts/1/steps/part/1-0`,
  },
  { by: 'submitStep: job', service: 'batch', operation: 'SubmitJob', subject: (id) => `lh-${id}-part` },
  {
    by: 'submitStep: registry',
    service: 'dynamodb',
    operation: 'UpdateItem',
    subject: (id) => `LaunchSteps/${id}/0001#part`,
  },
  { by: 'submitStep: job again', service: 'batch', operation: 'SubmitJob', subject: (id) => `lh-${id}-part-1-2` },
  {
    by: 'reviewStep: what is left',
    service: 's3',
    operation: 'PutObject',
    subject: (id) => `${id}/attempts/1/steps/part/1.review`,
  },
  {
    by: 'reviewStep: registry',
    service: 'dynamodb',
    operation: 'UpdateItem',
    nth: 3,
    subject: (id) => `LaunchSteps/${id}/0001#part`,
  },
  {
    by: 'reviewStep: the end',
    service: 'dynamodb',
    operation: 'UpdateItem',
    nth: 2,
    subject: (id) => `LaunchSteps/${id}/0001#whole`,
  },
];
/** Made by the jobs themselves: their own retries see to them, and no worker dies of it. */
const OF_JOBS: readonly Mutation[] = [
  { by: 'stage: claim', service: 's3', operation: 'PutObject', subject: (id) => `${id}/claims/part/a` },
  { by: 'stage: start record', service: 's3', operation: 'PutObject', subject: (id) => `${id}/starts/part/a` },
  { by: 'publish: output', service: 's3', operation: 'PutObject', subject: (id) => `results/lab-a/${id}/part/a` },
  { by: 'publish: commit', service: 's3', operation: 'PutObject', subject: (id) => `${id}/commits/part/a` },
  // Its key has the output's own words in it, and comes second.
  { by: 'publish: cache', service: 's3', operation: 'PutObject', nth: 2, subject: (id) => `/${id}/part/a` },
];

const slug = (text: string) => text.replaceAll(/[^a-z]+/gi, '-').toLowerCase();

/** Two items, one of which fails once and is tried again, and a step that joins them. */
const chain = (launchId: string) =>
  sheet(
    launchId,
    {
      part: {
        scatter: ['sample'],
        // Every second run of b on this machine fails, so that there is a second generation.
        command: `echo \${{ sample }} > part\n[ \${{ sample }} = a ] || mkdir ${longhaul.directory}/once-${launchId} 2>/dev/null && [ \${{ sample }} = b ] && exit 7\ntrue`,
        outputs: { part: 'part' },
        retries: { exit: 3, hostLoss: 3 },
      },
      whole: {
        command: 'cat ${{ inputs.parts }} > whole',
        inputs: { parts: { from: 'part.part', gather: true } },
        outputs: { whole: 'whole' },
      },
    },
    { scatter: { sample: ['a', 'b'] }, cache: false },
  );

/** One of the calls of a launch is hit before its effect, another after it; every call is hit either way in one launch each. */
interface Cell {
  before: Mutation;
  after: Mutation;
  launchId: string;
}
/** @param apart how far the two are in the list: what is counted by `nth` must not be of the same kind */
const cells = (mutations: readonly Mutation[], kind: string, apart: number): Cell[] =>
  mutations.map((before, place) => {
    const after = mutations[(place + apart) % mutations.length] ?? before;
    return { before, after, launchId: `${kind}-${slug(before.by)}` };
  });
const rulesOf = (all: readonly Cell[], effect: FaultRule['effect']): FaultRule[] =>
  all.flatMap(({ launchId, ...calls }) =>
    (['before', 'after'] as const).map((when) => {
      const { service = '', operation = '', nth = 1, subject } = calls[when];
      return { service, operation, nth, subject: subject(launchId), effect, when };
    }),
  );

async function jobsOf(launchId: string): Promise<string[]> {
  const list = new ListJobsCommand({
    jobQueue: 'longhaul',
    filters: [{ name: 'JOB_NAME', values: [`lh-${launchId}-*`] }],
  });
  return ((await longhaul.aws.batch.send(list)).jobSummaryList ?? []).map(({ jobName = '' }) => jobName).toSorted();
}

async function expectWhole({ launchId }: Cell): Promise<void> {
  const progress = await longhaul.follow(launchId);
  expect(progress, launchId).toMatchObject({ status: 'COMPLETE' });
  const outputs = await launchOutputs(longhaul.aws.s3, 'longhaul', launchId);
  expect(
    outputs.map(({ step, item }) => `${step}/${item}`),
    launchId,
  ).toEqual(['part/a', 'part/b', 'whole/all']);
  expect(await longhaul.read(outputs[2]?.address ?? ''), launchId).toBe('a\nb\n');
  const jobs = await jobsOf(launchId);
  expect(jobs.length, `${launchId}: a job was submitted twice`).toBe(new Set(jobs).size);
}

/** Commits that had their effect: one an item, however often it was tried. */
async function expectNothingTwice(launchIds: readonly string[]): Promise<void> {
  const puts = await longhaul.calls({ service: 's3', operation: 'PutObject' });
  for (const launchId of launchIds) {
    const commits = puts.filter(({ subject, error }) => subject.includes(`/${launchId}/commits/`) && error !== 'reset');
    const written = commits.filter(({ status }) => status === 200).map(({ subject }) => subject);
    expect(new Set(written).size, launchId).toBe(written.length);
  }
}

describe('a launch comes through', () => {
  it('every call that changes something being lost, before its effect and after it', async () => {
    const all = [...cells(MUTATIONS, 'lost', 7), ...cells(OF_JOBS, 'lost', 1)];
    const rules = rulesOf(all, 'reset');
    await longhaul.faults(rules);
    for (const { launchId } of all) await longhaul.put(`sheets/lab-a/${launchId}.yaml`, chain(launchId));
    for (const cell of all) await expectWhole(cell);
    const { hits } = await longhaul.action('GET faults');
    const missed = rules.filter((_, index) => (hits as number[])[index] !== 1);
    expect(missed).toEqual([]);
    await expectNothingTwice(all.map(({ launchId }) => launchId));
    console.log(`lost calls: ${rules.length} in ${all.length} launches, COMPLETE, 0 jobs submitted twice`);
  }, 600_000);

  it('the worker being killed at every such call, before its effect and before it is recorded', async () => {
    const all = cells(MUTATIONS, 'killed', 7);
    const rules = rulesOf(all, 'hang');
    await longhaul.faults(rules);
    for (const { launchId } of all) await longhaul.put(`sheets/lab-a/${launchId}.yaml`, chain(launchId));
    let killed = 0;
    // Until every race point has been met: those late in a launch come after others have been met and died of.
    await expect
      .poll(
        async () => {
          const { hits } = (await longhaul.action('GET faults')) as { hits: number[] };
          const met = hits.filter((count) => count > 0).length;
          if (met > killed) {
            const worker = longhaul.platform.status().find(({ name }) => name === 'worker');
            if (worker?.state === 'running' && worker.pid) {
              killed = met;
              process.kill(-worker.pid, 'SIGKILL');
            }
          }
          return killed;
        },
        { timeout: 400_000, interval: 4_000 },
      )
      .toBe(rules.length);
    for (const cell of all) await expectWhole(cell);
    await expectNothingTwice(all.map(({ launchId }) => launchId));
    const restarts = longhaul.platform.status().find(({ name }) => name === 'worker')?.restarts;
    console.log(
      `killed workers: ${rules.length} race points in ${all.length} launches, COMPLETE, ${restarts} kills, 0 jobs submitted twice`,
    );
  }, 900_000);
});
