/** The command line as its user meets it, and what outlives what. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DescribeJobsCommand } from '@aws-sdk/client-batch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isEnded, workflowIdOf } from '../../workflows/launch/model.ts';
import { sheet } from '../support/live-sheet.ts';
import { type Longhaul, openLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;

beforeAll(async () => {
  longhaul = await openLonghaul();
});
afterAll(() => longhaul?.close());

async function file(name: string, text: string): Promise<string> {
  const path = join(longhaul.directory, name);
  await writeFile(path, text);
  return path;
}

/** Waits until a step's job runs, by the registry's own picture. */
const running = (launchId: string) =>
  expect
    .poll(
      async () => {
        const handle = longhaul.temporal.client.workflow.getHandle(workflowIdOf(launchId));
        const progress = await handle.query<{ steps: { state: string }[] }>('progress').catch(() => undefined);
        return progress?.steps[0]?.state;
      },
      { interval: 100 },
    )
    .toBe('RUNNING');

describe('longhaul launch', () => {
  it('submits, watches, lists, shows and reads logs', async () => {
    const path = await file('good.yaml', sheet('cli-1', { hello: { command: 'echo hello from the job' } }));

    const submitted = await longhaul.cli('launch', 'submit', path, '--watch');
    expect(submitted.stderr).toBe('');
    expect(submitted.code).toBe(0);
    // The event of the upload may be quicker than the command.
    expect(submitted.stdout).toMatch(/launch cli-1 is (started|running already with this sheet)/);
    expect(submitted.stdout).toMatch(/COMPLETE \| hello succeeded/);

    const listed = await longhaul.cli('launch', 'list', '--consumer', 'lab-a', '--json');
    expect(listed.json()).toEqual([expect.objectContaining({ launch_id: 'cli-1', status: 'COMPLETE' })]);
    const shown = await longhaul.cli('launch', 'show', 'cli-1');
    expect(shown.stdout).toMatch(/cli-1\s+COMPLETE/);
    expect(shown.stdout).toMatch(/Time:\s+PREPARING [\d.]+ s, READY [\d.]+ s, RUNNING [\d.]+ s/);
    const logged = await longhaul.cli('launch', 'logs', 'cli-1', 'hello', '--json');
    expect(logged.json()).toMatchObject({ step: 'hello', container: 'main', message: 'hello from the job' });
  });

  it('says that the same sheet has been launched, and refuses another under its id', async () => {
    const path = await file('twice.yaml', sheet('twice-1', { a: { command: 'true' } }));
    await longhaul.cli('launch', 'submit', path, '--watch');

    const again = await longhaul.cli('launch', 'submit', path, '--json');
    expect(again.code).toBe(0);
    expect(again.json()).toMatchObject({ outcome: 'existing', status: 'COMPLETE' });

    const other = await longhaul.cli(
      'launch',
      'submit',
      await file('other.yaml', sheet('twice-1', { a: { command: 'false' } })),
    );
    expect(other.code).toBe(1);
    expect(other.stderr).toContain('the launch id twice-1 belongs to another sheet');
  });

  it('prints every problem of a bad sheet with its line and uploads nothing', async () => {
    const path = await file('bad.yaml', sheet('bad-1', { a: { command: 'run ${{ inputs.x }}', after: ['b'] } }));

    const result = await longhaul.cli('launch', 'submit', path);

    expect(result.code).toBe(2);
    expect(result.stderr).toContain('InvalidSheetError');
    expect(result.stderr).toMatch(/bad\.yaml:\d+: steps\.a\.after: there is no step b; there are: a/);
    expect(result.stderr).toMatch(/bad\.yaml:\d+: steps\.a\.command: \$\{\{ inputs\.x \}\}: there is no such input/);
    expect(await longhaul.launches.get('bad-1')).toBeUndefined();
  });

  it('cancels: the job is ended, and it says so', async () => {
    const path = await file(
      'long.yaml',
      sheet('long-1', { sleep: { command: 'sleep 300' }, never: { command: 'true', after: ['sleep'] } }),
    );
    await longhaul.cli('launch', 'submit', path);
    await running('long-1');

    const cancelled = await longhaul.cli('launch', 'cancel', 'long-1');

    expect(cancelled.stderr).toBe('');
    expect(cancelled.stdout).toContain('launch long-1 is CANCELLED; ended: sleep');
    const [row] = await longhaul.steps.ofLaunch('long-1', 1);
    expect(row).toMatchObject({ state: 'CANCELLED', cause: 'the launch was cancelled' });
    expect(row?.open_in).toBeUndefined();
    const { jobs = [] } = await longhaul.aws.batch.send(new DescribeJobsCommand({ jobs: [row?.job_id ?? ''] }));
    expect(jobs[0]).toMatchObject({ status: 'FAILED', statusReason: 'the launch was cancelled' });
    const twice = await longhaul.cli('launch', 'cancel', 'long-1');
    expect(twice.code).toBe(1);
    expect(twice.stderr).toContain('launch long-1 has ended already: CANCELLED');
  });

  it('uses exit code 2 and help for wrong use, 1 for what is not there', async () => {
    expect((await longhaul.cli('launch', 'fly')).code).toBe(2);
    expect((await longhaul.cli('launch', 'list', '--status', 'SLEEPING')).code).toBe(2);
    const missing = await longhaul.cli('launch', 'show', 'nobody');
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain('there is no launch nobody');
    for (const command of ['submit', 'list', 'show', 'watch', 'logs', 'cancel']) {
      expect((await longhaul.cli('launch', command, '--help')).stdout).toContain('Example');
    }
  });

  it('doctor knows what is on this machine', async () => {
    const report = (await longhaul.cli('doctor', '--json')).json() as unknown as { name: string; state: string }[];
    expect(report.find(({ name }) => name === 'node')).toMatchObject({ state: 'ok' });
    expect(report.map(({ name }) => name)).toEqual(expect.arrayContaining(['python', 'java', 'temporal', 'go']));
  });
});

describe('a restart of everything', () => {
  it('is survived by workflows, tables, objects and logs together, and a job that died with it runs again', async () => {
    const path = await file(
      'outlives.yaml',
      sheet('outlives-1', {
        slow: { command: 'sleep 4\necho done > x', outputs: { x: 'x' } },
        last: { command: 'cp ${{ inputs.x }} y', inputs: { x: { from: 'slow.x' } }, outputs: { y: 'y' } },
      }),
    );
    const earlier = await file('earlier.yaml', sheet('earlier-1', { hello: { command: 'echo hello from before' } }));
    await longhaul.cli('launch', 'submit', earlier, '--watch');
    await longhaul.cli('launch', 'submit', path);
    await running('outlives-1');

    const linkKey = longhaul.env.LONGHAUL_STORY_LINK_KEY;

    await longhaul.restart();

    const before = await longhaul.launches.get('earlier-1');
    expect(before?.status).toBe('COMPLETE');
    const progress = await longhaul.follow('outlives-1');
    expect(progress.error).toBeUndefined();
    expect(progress.status).toBe('COMPLETE');
    expect(isEnded(progress.status)).toBe(true);
    const logged = await longhaul.cli('launch', 'logs', 'earlier-1', 'hello');
    expect(logged.stdout).toContain('hello from before');
    // Links to stories that were given away go on being valid.
    expect(linkKey).toMatch(/^[\w-]{43}$/);
    expect(longhaul.env.LONGHAUL_STORY_LINK_KEY).toBe(linkKey);
  });
});
