/** Logs while jobs write them and afterwards: of each attempt, child and container, through throttling. */
import { DescribeJobsCommand } from '@aws-sdk/client-batch';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { followLogs } from '../../clients/launch/log-follow.ts';
import type { LogLine } from '../../clients/launch/log-lines.ts';
import { sheet } from '../support/live-sheet.ts';
import { all } from '../support/log-world.ts';
import { type Longhaul, openLonghaul } from '../support/longhaul.ts';
import { until } from '../support/stand-ins.ts';

let longhaul: Longhaul;

beforeAll(async () => {
  longhaul = await openLonghaul();
});
afterEach(() => longhaul.faults([]));
afterAll(() => longhaul?.close());

const sources = () => ({ ...longhaul, ...longhaul.aws, bucket: longhaul.settings.bucket });
const MAIN = { containers: ['main'] };
const short = ({ step, item, attempt, message }: LogLine) => `${step}/${item}#${attempt} ${message}`;
const lines = (stdout: string) =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LogLine);
const logs = async (...args: string[]) => {
  const result = await longhaul.cli('launch', 'logs', ...args, '--json');
  if (result.code !== 0) throw new Error(result.stderr);
  return lines(result.stdout).map(short);
};

/** Items wait for an object in S3 that the test puts, so that it is known what was written before what. */
const waiting = (launchId: string) =>
  sheet(
    launchId,
    {
      wait: {
        scatter: ['sample'],
        command: `echo begin \${{ sample }}
until [ -e "$FLAG" ]; do sleep 0.1; done
echo end \${{ sample }} >&2`,
        environment: { FLAG: `${longhaul.directory}/\${{ launch.id }}` },
        retries: 3,
      },
      last: { command: 'echo last of ${{ launch.id }}', after: ['wait'] },
    },
    { scatter: { sample: ['a', 'b'] } },
  );
const release = (launchId: string) => longhaul.run('touch', `${longhaul.directory}/${launchId}`);

/** Who follows waits some seconds for a launch; on a busy machine its event may take longer. */
const registered = (launchId: string) => until(launchId, () => longhaul.launches.get(launchId));

describe('following', () => {
  it('gives lines before the step has ended, through throttling, and ends with the launch', async () => {
    await longhaul.faults([{ service: 'logs', effect: 'throttle', share: 0.5, seed: 7 }]);
    await longhaul.put('sheets/lab-a/live.yaml', waiting('live-1'));
    await registered('live-1');
    const seen: string[] = [];
    let statesThen: string[] = [];
    for await (const line of followLogs(sources(), 'live-1', MAIN)) {
      seen.push(short(line));
      if (seen.length !== 2) continue;
      // Nothing can end before this.
      statesThen = (await longhaul.steps.ofLaunch('live-1', 1)).map(({ state }) => state);
      await release('live-1');
    }

    expect(seen.slice(0, 2).toSorted()).toEqual(['wait/a#1 begin a', 'wait/b#1 begin b']);
    expect(statesThen).toHaveLength(1);
    expect(statesThen).not.toContain('SUCCEEDED');
    expect(seen.slice(2, 4).toSorted()).toEqual(['wait/a#1 end a', 'wait/b#1 end b']);
    expect(seen.slice(4)).toEqual(['last/all#1 last of live-1']);
    expect((await longhaul.launches.get('live-1'))?.status).toBe('COMPLETE');
    const calls = await longhaul.calls({ service: 'logs' });
    expect(calls.filter(({ error }) => error === 'ThrottlingException').length).toBeGreaterThan(0);
  });

  it('gives the attempts of a host that is lost, and of the next', async () => {
    await longhaul.put('sheets/lab-a/host.yaml', waiting('host-1'));
    await registered('host-1');
    const seen: string[] = [];
    for await (const line of followLogs(sources(), 'host-1', { ...MAIN, step: 'wait' })) {
      seen.push(short(line));
      if (seen.length === 2) await longhaul.action('POST lose-instance');
      if (seen.length === 4) await release('host-1');
    }
    const row = (await longhaul.steps.ofLaunch('host-1', 1)).find(({ step }) => step === 'wait');
    const { jobs = [] } = await longhaul.aws.batch.send(new DescribeJobsCommand({ jobs: [`${row?.job_id}:0`] }));

    expect(jobs[0]?.attempts).toHaveLength(2);
    expect(seen.toSorted()).toEqual(
      ['a', 'b'].flatMap((item) => [
        `wait/${item}#1 begin ${item}`,
        `wait/${item}#2 begin ${item}`,
        `wait/${item}#2 end ${item}`,
      ]),
    );
    await longhaul.follow('host-1');
  });
});

describe('afterwards', () => {
  it('each attempt, child and container is there by itself, and AWS Batch is not asked', async () => {
    const asked = async () => (await longhaul.calls({ service: 'batch', operation: 'DescribeJobs' })).length;
    const before = await asked();

    expect(await logs('host-1', 'wait')).toEqual(
      ['a', 'b'].flatMap((item) => [
        `wait/${item}#1 begin ${item}`,
        `wait/${item}#2 begin ${item}`,
        `wait/${item}#2 end ${item}`,
      ]),
    );
    expect(await logs('host-1', 'wait', '--item', 'b', '--attempt', '2')).toEqual([
      'wait/b#2 begin b',
      'wait/b#2 end b',
    ]);
    expect(await logs('host-1', '--tail', '1', '--attempt', '1')).toEqual([
      'wait/a#1 begin a',
      'wait/b#1 begin b',
      'last/all#1 last of host-1',
    ]);
    const staged = await logs('host-1', 'wait', '--item', 'a', '--container', 'stage');
    expect(staged).toEqual([1, 2].map((n) => expect.stringMatching(`^wait/a#${n} item a: 0 inputs`)));
    expect(await logs('host-1', '--since', '1d')).toHaveLength(7);
    const ours = await asked();
    // The poller of the platform may have asked meanwhile, once in 30 s.
    expect(ours - before).toBeLessThanOrEqual(1);
  });

  it('lines are searched for, through throttling', async () => {
    await longhaul.faults([{ service: 'logs', effect: 'throttle', times: 3 }]);
    expect(await logs('host-1', '--search', '?end ?last')).toEqual([
      'wait/a#2 end a',
      'wait/b#2 end b',
      'last/all#1 last of host-1',
    ]);
    const refused = await longhaul.cli('launch', 'logs', 'host-1', '--search', '"open');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('--search "open: Invalid filter pattern');
  });

  it('are shown with who wrote them, those that failed by themselves', async () => {
    await longhaul.put(
      'sheets/lab-a/fails.yaml',
      sheet(
        'fails-1',
        { part: { scatter: ['sample'], command: 'echo here is ${{ sample }}\ntest ${{ sample }} != s07' } },
        { scatter: { sample: Array.from({ length: 24 }, (_, index) => `s${String(index).padStart(2, '0')}`) } },
      ),
    );
    expect((await longhaul.follow('fails-1')).status).toBe('FAILED');

    const errors = await longhaul.cli('launch', 'logs', 'fails-1', 'part', '--errors');
    expect(errors.stdout).toMatch(/^\d\d:\d\d:\d\d\.\d{3} \[part\/s07#1\] here is s07\n$/);
    const some = await longhaul.cli('launch', 'logs', 'fails-1');
    expect(some.stdout.trim().split('\n')).toHaveLength(20);
    expect(some.stderr).toContain('step part: 20 items are shown, 4 more are not; choose with --item <key...>');
    const both = await longhaul.cli('launch', 'logs', 'fails-1', '--item', 's07', '--container', 'stage', 'main');
    expect(both.stdout).toMatch(/\[part\/s07#1 stage\] item s07: .*\n.*\[part\/s07#1 main\] here is s07\n$/);
    const found = await logs('fails-1', '--search', '"here is"');
    expect(found).toHaveLength(24);
    const followed = await all(followLogs(sources(), 'fails-1', MAIN));
    expect(followed.map(({ item }) => item).toSorted()).toEqual(found.map((line) => line.slice(5, 8)));
  });

  it('what is not there is named, and what is near it', async () => {
    const error = async (...args: string[]) => {
      const { code, stderr } = await longhaul.cli('launch', 'logs', ...args);
      return `${code} ${stderr.trim()}`;
    };
    expect(await error('fails-2')).toBe(
      '1 error: there is no launch called fails-2; did you mean fails-1? "longhaul launch list" shows the newest',
    );
    expect(await error('fails-1', 'parts')).toBe('1 error: there is no step called parts; did you mean part?');
    expect(await error('fails-1', 'part', '--item', 's7')).toContain('no item of part called s7; did you mean s07');
    expect(await error('fails-1', '--since', 'yesterday')).toMatch(/^2 .*expected a number and s, m, h or d/);
    expect(await error('fails-1', '--errors', '--follow')).toMatch(/^2 .*cannot be used with/);
  });
});
