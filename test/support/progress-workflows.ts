/** Workflows that only tests have: what a workflow's author writes to report, in every way. */
import { condition, continueAsNew, proxyActivities, sleep, workflowInfo } from '@temporalio/workflow';
import { type Batch, MOST_REPORTS } from '../../workflows/progress/outbox.ts';
import { type ReporterOptions, trackProgress } from '../../workflows/progress/reporter.ts';

export interface Work {
  route?: 'direct' | 'bus' | 'activity';
  steps: string[];
  /** Seconds of each step. */
  seconds?: number;
  /** The step that fails. */
  fails?: string;
  /** What each step says on its way. */
  says?: number;
  /** Runs before the last, each with the same steps. */
  again?: number;
  most?: number;
}

interface Activities {
  work(step: string): Promise<void>;
  composed(batch: Batch): Promise<void>;
}
const OPTIONS = { taskQueue: 'work', startToCloseTimeout: '1 minute', retry: { maximumAttempts: 1 } } as const;
const { work, composed } = proxyActivities<Activities>(OPTIONS);

const options = ({ steps, route, most = MOST_REPORTS }: Work): ReporterOptions => ({
  facts: { domain: 'order', consumer: 'lab-a' },
  steps: steps.map((name, index) => ({
    name,
    ...(index > 0 && { after: [steps[index - 1] ?? ''] }),
    weight: index + 1,
  })),
  route: route === 'activity' ? { activity: composed } : (route ?? 'direct'),
  most,
});

export async function order(input: Work): Promise<string> {
  return trackProgress(options(input), async (progress) => {
    for (const name of input.steps) {
      await progress.step(name, async (update) => {
        for (let said = 1; said <= (input.says ?? 0); said += 1) {
          await sleep(1_000);
          update({ percent: (100 * said) / (input.says ?? 1) });
        }
        if (input.seconds) await sleep(input.seconds * 1_000);
        await work(name);
      });
    }
    if (input.again) await continueAsNew<typeof order>({ ...input, again: input.again - 1 });
    return workflowInfo().runId;
  });
}

/** Tells text, bit by bit. */
export async function teller(text: string): Promise<void> {
  await trackProgress({ facts: { domain: 'teller' } }, async (progress) => {
    for (const character of text) await progress.data(character);
    await progress.status('WAITING', { waitingFor: 'more' });
  });
}

/** Branches that go on side by side, each by activities, with what others of ours have between them: conditions, one after another. */
export async function branches(count: number, rounds: number): Promise<void> {
  await trackProgress({ facts: { domain: 'branches' } }, async (progress) => {
    let done = 0;
    const branch = async (name: string) => {
      for (let round = 1; round <= rounds; round += 1) {
        await work(`${name}/${round}`);
        done += 1;
        for (let stage = 1; stage <= round; stage += 1) await condition(() => done >= stage);
        progress.say({ message: `${name} has done ${round}` });
      }
    };
    await Promise.all(Array.from({ length: count }, (_, nth) => branch(`branch-${nth}`)));
  });
}
