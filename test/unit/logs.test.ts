/**
 * Reading and following logs: only what is needed is asked for, every line comes once, and nothing is waited for that
 * never comes.
 *
 * @module
 */
import type { JobDetail } from '@aws-sdk/client-batch';
import { afterEach, describe, expect, it } from 'vitest';
import { type FollowOptions, followLogs } from '../../clients/launch/log-follow.ts';
import type { LogLine } from '../../clients/launch/log-lines.ts';
import { type ChoiceOptions, chooseAttempts, type ReadOptions, stepLogs } from '../../clients/launch/logs.ts';
import type { StepItem } from '../../lib/store/steps.ts';
import { all, GROUP, itemNames, LAUNCH, type LogWorld, openLogWorld } from '../support/log-world.ts';

const MAIN = { containers: ['main'] };

let world: LogWorld;
afterEach(() => world.close());

const short = ({ item, attempt, container, message }: LogLine) =>
  `${item}#${attempt} ${container === 'main' ? '' : `${container} `}${message}`;
const choose = (options: ChoiceOptions = {}) => chooseAttempts(world.sources, world.step(), options);
async function read(choice: ChoiceOptions = {}, options: Partial<ReadOptions> = {}): Promise<string[]> {
  const { attempts } = await choose(choice);
  return (await all(stepLogs(world.sources, attempts, { ...MAIN, ...options }))).map(short);
}
const follow = (options: Partial<FollowOptions> = {}) => followLogs(world.sources, LAUNCH, { ...MAIN, ...options });
const followed = async (options: Partial<FollowOptions> = {}) => (await all(follow(options))).map(short);

describe('attempts on another service than AWS Batch', () => {
  const NAME = 'lh-run-1-align-1-1-0-5';
  const on = (service: string, more: Partial<StepItem> = {}) => {
    const step = world.step();
    const jobs = step.row?.jobs.map((job) => ({ ...job, name: NAME }));
    return { ...step, row: { ...step.row, compute_service: service, jobs, ...more } as StepItem };
  };

  it.each(['slurm', 'ec2'])('that is %s have streams by their names where there is no record', async (service) => {
    world = await openLogWorld(['a', 'b']);
    await world.start('a');

    const { attempts } = await chooseAttempts(world.sources, on(service), { items: ['a', 'b'] });

    expect(attempts.map(({ item, attempt, streams }) => [item, attempt, streams.main])).toEqual([
      ['a', 1, 'tools/main/0x1'],
      ['b', 1, `${NAME}/main/job-1_1-1`],
    ]);
    expect(world.described).toEqual([]);
  });

  it.each(['slurm', 'ec2'])('that is %s have failed where the job program has said so', async (service) => {
    world = await openLogWorld(['a', 'b', 'c', 'd']);
    for (const item of world.items) await world.start(item);
    const endings = ['0.1.publish.0.exited', '1.1.main.3.exited', '2.1.main.143.stopped'];
    for (const ending of endings) await world.put(`endings/${NAME}/job-1/${ending}`, '');

    const { attempts } = await chooseAttempts(world.sources, on(service), { errors: true });

    expect(attempts.map(({ item }) => item)).toEqual(['b']);
  });

  it('that are pods are asked of Kubernetes, or it is said which command has their logs', async () => {
    world = await openLogWorld(['a']);
    await world.start('a', 1, { logs: undefined as never });
    const step = on('eks', { log_group: 'kubernetes:prod/lab' });
    const kubectl =
      "kubectl --namespace lab logs --selector 'batch.kubernetes.io/job-name in (job-1)' --container main --prefix --tail=-1";

    const without = chooseAttempts(world.sources, step, {});
    await expect(without).rejects.toThrow(
      `cannot be asked: there is no connection to it here\nwhere kubectl gets there: ${kubectl}`,
    );
    const kubernetes = (cluster: string) => Promise.reject(new Error(`its cluster is ${cluster}, and not ours`));
    const other = chooseAttempts({ ...world.sources, kubernetes }, step, {});
    await expect(other).rejects.toThrow(/its cluster is prod, and not ours\n.*kubectl --namespace lab/);
    expect(world.described).toEqual([]);
  });

  it('that are pods cannot be searched, and it is said what can be done', async () => {
    world = await openLogWorld(['a']);
    const attempt = { step: 'align', item: 'a', jobId: 'job-1', attempt: 1, group: 'kubernetes:prod/lab' };
    const attempts = [{ ...attempt, streams: { main: 'job-1-0-x/main' } }];

    await expect(all(stepLogs(world.sources, attempts, { ...MAIN, search: 'ERROR' }))).rejects.toThrow(
      /--search.*grep/,
    );
  });
});

describe('attempts', () => {
  it('are listed by the page, and only the records of those that were chosen are read', async () => {
    world = await openLogWorld(itemNames(40));
    for (const item of world.items) await world.start(item);
    await world.start('i0007', 2);

    const { attempts } = await choose({ items: ['i0007'], attempt: 2 });

    expect(attempts).toMatchObject([
      { item: 'i0007', index: 7, attempt: 2, generation: 1, group: GROUP, streams: { main: 'tools/main/7x2' } },
    ]);
    expect(world.calls('GetObject')).toBe(1);
    expect(world.calls('ListObjectsV2')).toBe(1);
    expect(world.described).toEqual([]);
  });

  it('are those of the first items that have started, and it is said how many are left out', async () => {
    world = await openLogWorld(itemNames(30));
    for (const item of world.items.slice(5)) await world.start(item);

    const { attempts, leftOut } = await choose({ limit: 20 });

    expect(attempts.map(({ item }) => item)).toEqual(world.items.slice(5, 25));
    expect(leftOut).toBe(5);
    expect(world.calls('GetObject')).toBe(20);
  });

  it('of failed items are those without a commit', async () => {
    world = await openLogWorld(['a', 'b', 'c']);
    for (const item of world.items) await world.start(item);
    await world.start('b', 2);
    await world.commit('a');
    await world.commit('c');
    world.end('FAILED');

    const { attempts } = await choose({ errors: true });

    expect(attempts.map(({ item, attempt }) => `${item}${attempt}`)).toEqual(['b1', 'b2']);
  });

  it('of failed items are, while the step is open, those AWS Batch says have failed', async () => {
    world = await openLogWorld(['a', 'b', 'c', 'd']);
    for (const item of world.items) await world.start(item);
    await world.commit('a');
    for (const [id, status] of Object.entries({ 'job-1:0': 'FAILED', 'job-1:1': 'RUNNING', 'job-1:2': 'FAILED' }))
      world.jobs.set(id, { jobId: id, status } as JobDetail);

    const { attempts } = await choose({ errors: true });

    // A twin of job-1:0 has done its item.
    expect(attempts.map(({ item }) => item)).toEqual(['c']);
  });

  it('without a start record are asked of AWS Batch, a hundred at most, in one call', async () => {
    world = await openLogWorld(itemNames(150));
    await world.start('i0000');
    const containers = (task: string) => [
      { name: 'stage', logStreamName: `tools/stage/${task}` },
      { name: 'main' },
      { name: 'publish' },
    ];
    world.jobs.set('job-1:3', {
      jobName: 'x',
      jobQueue: 'x',
      jobDefinition: 'x',
      startedAt: 1,
      status: 'FAILED',
      jobId: 'job-1:3',
      attempts: [
        { taskProperties: [{ containers: containers('one') }] },
        { taskProperties: [{ containers: containers('two') }] },
      ],
      ecsProperties: { taskProperties: [{ containers: containers('two') }] },
    });

    const { attempts } = await choose({ items: world.items });

    expect(world.described.map(({ length }) => length)).toEqual([100]);
    expect(attempts.map(({ item, index, attempt, streams }) => [item, index, attempt, streams.main])).toEqual([
      ['i0000', 0, 1, 'tools/main/0x1'],
      ['i0003', 3, 1, 'tools/main/one'],
      ['i0003', 3, 2, 'tools/main/two'],
    ]);
  });

  it('whose record does not tell get their streams from AWS Batch', async () => {
    world = await openLogWorld(['all']);
    await world.start('all', 1, { logs: undefined as never });
    const containers = [{ name: 'stage', logStreamName: 'tools/stage/0x1' }, { name: 'main' }, { name: 'publish' }];
    world.jobs.set('job-1', { jobId: 'job-1', ecsProperties: { taskProperties: [{ containers }] } } as never);
    world.write('all', ['hello']);

    expect(await read()).toEqual(['all#1 hello']);
    expect(world.described).toEqual([['job-1']]);
  });

  it('of a later generation are those its review has left', async () => {
    world = await openLogWorld(['a', 'b', 'c']);
    const again = [{ index: 2, nextMemoryMiB: 64 }];
    await world.put(`launches/${LAUNCH}/attempts/1/steps/align/1.review.json`, { version: 1, again });
    const step = world.step();
    const row = { ...step.row, generation: 2, jobs: [{ id: 'job-2', generation: 2, shard: 0, items: 1 }] } as StepItem;

    await chooseAttempts(world.sources, { ...step, row }, { items: ['a', 'c'] });

    expect(world.described).toEqual([['job-2']]);
  });

  it('are done only by a commit of their own key', async () => {
    world = await openLogWorld(['a', 'b']);
    for (const item of world.items) await world.start(item);
    await world.put(`launches/${LAUNCH}/commits/align/a/of-another-command.json`, {});
    await world.commit('b');
    world.end('FAILED');

    expect((await choose({ errors: true })).attempts.map(({ item }) => item)).toEqual(['a']);
  });
});

describe('reading', () => {
  it('goes item by item, attempt by attempt, container by container', async () => {
    world = await openLogWorld(['b', 'a']);
    for (const item of ['a', 'b']) {
      await world.start(item);
      world.write(item, ['staged'], { container: 'stage' });
      world.write(item, ['one', 'two'], { at: 10 });
    }
    await world.start('b', 2);
    world.write('b', ['again'], { attempt: 2 });

    expect(await read({}, { containers: ['main', 'stage'] })).toEqual([
      'b#1 stage staged',
      'b#1 one',
      'b#1 two',
      'b#2 again',
      'a#1 stage staged',
      'a#1 one',
      'a#1 two',
    ]);
  });

  it('gives the last lines, and those since a time', async () => {
    world = await openLogWorld(['a', 'b']);
    for (const item of world.items) {
      await world.start(item);
      world.write(item, ['1', '2', '3']);
      world.write(item, ['4'], { at: 60_000 });
    }
    const [first] = await all(stepLogs(world.sources, (await choose()).attempts, MAIN));

    expect(await read({}, { tail: 2 })).toEqual(['a#1 3', 'a#1 4', 'b#1 3', 'b#1 4']);
    expect(await read({}, { since: Date.parse(first?.at ?? '') + 30_000 })).toEqual(['a#1 4', 'b#1 4']);
    expect(await read({}, { tail: 9, search: '-2 -3' })).toEqual(['a#1 1', 'a#1 4', 'b#1 1', 'b#1 4']);
    expect(await read({}, { tail: 1, search: '-2' })).toEqual(['a#1 4', 'b#1 4']);
  });

  it('searches a hundred streams a call, in order, though some never were', async () => {
    world = await openLogWorld(itemNames(210));
    for (const [index, item] of world.items.entries()) {
      await world.start(item);
      if (index !== 205) world.write(item, ['fine', 'ERROR here', 'fine'], { at: 1_000 - index });
    }

    const found = await read({}, { search: 'ERROR' });

    const logged = world.items.filter((_, index) => index !== 205);
    expect(found).toEqual(logged.map((item) => `${item}#1 ERROR here`));
    // Three chunks, and the one that was refused again.
    expect(world.calls('FilterLogEvents')).toBe(4);
    expect(world.calls('GetLogEvents')).toBe(10);
  });

  it('waits out throttling', async () => {
    world = await openLogWorld(['a']);
    await world.start('a');
    world.write('a', ['hello']);
    world.kit.faults.set([{ service: 'logs', effect: 'throttle', times: 5 }]);

    expect(await read()).toEqual(['a#1 hello']);
  });
});

describe('following', () => {
  it('merges what is there by time, and ends with the launch', async () => {
    world = await openLogWorld(['a', 'b']);
    for (const item of world.items) await world.start(item);
    world.write('a', ['1', '3'], { at: 0 });
    world.write('b', ['2'], { at: 0.5 });
    world.write('b', ['4'], { at: 100 });
    world.end();

    expect(await followed()).toEqual(['a#1 1', 'b#1 2', 'a#1 3', 'b#1 4']);
    expect(world.calls('FilterLogEvents')).toBe(0);
  });

  it('gives lines as they come, and those of attempts that start meanwhile', async () => {
    world = await openLogWorld(['a', 'b']);
    await world.start('a');
    world.write('a', ['first']);
    const seen: string[] = [];
    for await (const line of follow()) {
      seen.push(short(line));
      if (line.message === 'first') world.write('a', ['second'], { at: 10 });
      if (line.message === 'second') {
        await world.start('a', 2);
        world.write('a', ['third'], { attempt: 2, at: 20 });
      }
      if (line.message === 'third') {
        await world.start('b');
        world.write('b', ['fourth'], { at: 30 });
        world.end();
      }
    }
    expect(seen).toEqual(['a#1 first', 'a#1 second', 'a#2 third', 'b#1 fourth']);
  });

  it('reads many streams a hundred at a time, late lines once, and does not wait for what never comes', async () => {
    world = await openLogWorld(itemNames(130));
    for (const item of world.items) await world.start(item);
    for (const item of world.items.slice(0, 128)) {
      world.write(item, ['begin']);
      await world.commit(item);
    }
    const seen: string[] = [];
    for await (const line of follow()) {
      seen.push(short(line));
      if (seen.length === 128) {
        // One that began late, one line that came late, and one item that never starts its command.
        world.write('i0128', ['begin']);
        world.write('i0005', ['newest'], { at: 20_000 });
      }
      if (line.message === 'newest') world.write('i0006', ['late'], { at: 5_000 });
      if (line.message === 'late') world.end();
    }

    const begun = world.items.slice(0, 129).map((item) => `${item}#1 begin`);
    expect(seen.toSorted()).toEqual([...begun, 'i0005#1 newest', 'i0006#1 late'].toSorted());
    // Looking for the two that are not there, one by one; never for all.
    expect(world.calls('GetLogEvents')).toBeLessThan(30);
    expect(world.calls('FilterLogEvents')).toBeLessThan(40);
  });

  it('searches while it follows, and gives the last lines first', async () => {
    world = await openLogWorld(['a', 'b']);
    for (const item of world.items) {
      await world.start(item);
      world.write(item, ['ERROR 1', 'fine', 'ERROR 2', 'ERROR 3']);
    }
    const seen: string[] = [];
    for await (const line of follow({ search: 'ERROR', tail: 1 })) {
      seen.push(short(line));
      if (seen.length === 2) {
        world.write('a', ['fine', 'ERROR 4'], { at: 10 });
        world.end();
      }
    }
    expect(seen).toEqual(['a#1 ERROR 3', 'b#1 ERROR 3', 'a#1 ERROR 4']);
  });

  it('keeps to the items and attempts that were chosen', async () => {
    world = await openLogWorld(['a', 'b']);
    for (const item of world.items) {
      for (const attempt of [1, 2]) {
        await world.start(item, attempt);
        world.write(item, ['x'], { attempt });
      }
    }
    world.end();
    expect(await followed({ items: ['b'], attempt: 2, step: 'align' })).toEqual(['b#2 x']);
  });

  it('waits out throttling and outages of every service', async () => {
    world = await openLogWorld(['a']);
    await world.start('a');
    world.write('a', ['hello']);
    world.end();
    world.kit.faults.set([
      { service: 'logs', effect: 'throttle', times: 4 },
      { service: 's3', effect: 'error', status: 503, code: 'SlowDown', nth: 2, times: 4 },
    ]);
    expect(await followed()).toEqual(['a#1 hello']);
  });

  it('ends quietly when it is told to', async () => {
    world = await openLogWorld(['a']);
    await world.start('a');
    world.write('a', ['hello']);
    const controller = new AbortController();
    const seen: string[] = [];
    for await (const line of follow({ signal: controller.signal })) {
      seen.push(short(line));
      controller.abort();
    }
    expect(seen).toEqual(['a#1 hello']);
  });

  it('refuses a launch, a step or an item that is not there', async () => {
    world = await openLogWorld(['sample-a', 'sample-b']);
    await expect(followed({ step: 'algin' })).rejects.toThrow('there is no step called algin; did you mean align?');
    await expect(followed({ items: ['samplea'] })).rejects.toThrow('did you mean sample-a or sample-b?');
    await expect(all(followLogs(world.sources, 'run-2', MAIN))).rejects.toThrow('there is no launch run-2');
  });
});
