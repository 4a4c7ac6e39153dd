/** The benches still run and print what they say they do; what they measure is looked at elsewhere. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);

/** The last line of a bench as JSON. */
async function bench(...args: string[]): Promise<Record<string, number>> {
  // What the other files run by is not built under their feet.
  const { stdout } = await run(process.execPath, ['scripts/bench.mjs', ...args, '--built', '--json'], {
    maxBuffer: 2 ** 24,
  });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, number>;
}

it('launch: a chain of steps, beside its baseline', async () => {
  const result = await bench('launch', '--steps', '4');

  for (const name of ['p50Ms', 'p95Ms', 'baselineP50Ms', 'ratio', 'callsPerJob', 'historyEvents'])
    expect(result[name], name).toBeGreaterThan(0);
  expect(result.ratio).toBeCloseTo((result.p50Ms ?? 0) / (result.baselineP50Ms ?? 1), 1);
});

it('launch-peers: a fan-out and planning, beside Snakemake', async () => {
  const short = ['--only', 'a,c', '--tasks', '10', '--plan-tasks', '200', '--rounds', '1', '--without-toil'];
  const result = await bench('launch-peers', ...short);

  for (const name of [
    'secondsOurs',
    'secondsSnakemake',
    'ratio',
    'planSecondsOurs',
    'planSecondsSnakemake',
    'planRatio',
  ])
    expect(result[name], name).toBeGreaterThan(0);
});

it('restore: every object asked for, within the quota', async () => {
  const result = await bench('restore', '--objects', '1000', '--rounds', '1', '--hour-ms', '200', '--without-rclone');

  expect(result).toMatchObject({ objects: 1_000, calls: 1_000, throttledShare: 0 });
  for (const name of ['seconds', 'perSecond', 'requestingSeconds', 'completeSeconds', 'historyEvents'])
    expect(result[name], name).toBeGreaterThan(0);
});

it('restore-scale: objects that are made up, and objects that are there', async () => {
  const madeUp = await bench('restore-scale', '--objects', '20000', '--tier', 'Expedited');
  const real = await bench('restore-scale', '--real', '--objects', '1000', '--hour-ms', '200');

  expect(madeUp).toMatchObject({ objects: 20_000, restoreCalls: 20_000, askedTwice: 0, runs: 1 });
  expect(real).toMatchObject({ objects: 1_000, restored: 1_000, restoreCalls: 1_000, askedTwice: 0 });
  for (const result of [madeUp, real])
    for (const name of ['seconds', 'peakRssMiB', 'historyEvents', 'listCalls', 'putCalls'])
      expect(result[name], name).toBeGreaterThan(0);
});

it('cost-report: a month of a ledger by its index', async () => {
  const result = await bench('cost-report', '--launches', '600');

  // October of 120 days: 31 of 120 launches, a page a day.
  expect(result).toMatchObject({ launches: 600, pages: 31, items: 155, scans: 0, baselineItems: 1_800 });
  for (const name of ['rows', 'seconds', 'baselineSeconds', 'ratio']) expect(result[name], name).toBeGreaterThan(0);
});

it('cost: launches of the past, and how often prices are looked up', async () => {
  const short = ['--recipes', 'Genome,Bwa,Blast,Seismology', '--launches', '16', '--most-tasks', '150'];
  const result = await bench('cost', ...short);

  // Too few to hold the coverage to its bounds: that is the whole bench's.
  expect(result.coverage).toBeGreaterThan(0.5);
  expect(result.medianError).toBeLessThan(result.baselineMedianError ?? 0);
  expect(result.callsPerLaunch).toBeLessThan(0.2);
});

it('says which benches there are', async () => {
  await expect(run(process.execPath, ['scripts/bench.mjs', 'nothing'])).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining(
      'there are: cost-report, cost, launch-peers, launch, progress, restore-scale, restore, scale, story',
    ),
  });
});

it('progress: nothing is lost, and everything is measured for both sides', async () => {
  // Storms and many connections are what the faults lane is for.
  const sizes = ['--clients', '10', '--runs', '5', '--rate', '20', '--seconds', '2', '--idle', '100'];
  const only = ['--only', 'steady,memory,screen', '--without-redis', '--systems', 'longhaul-memory,socketio,longhaul'];
  const result = await bench('progress', '--short', ...only, ...sizes);

  expect(result).toMatchObject({ lost: 0, duplicated: 0, outOfOrder: 0 });
  for (const name of ['delivered', 'p50Ms', 'p95Ms']) expect(result[name], name).toBeGreaterThan(0);
  const { steady, memoryPerConnection, screen, peer } = result as unknown as Record<string, object>;
  for (const part of [steady, memoryPerConnection])
    expect(Object.keys(part ?? {})).toEqual(expect.arrayContaining(['longhaul-memory', 'socketio', 'longhaul']));
  expect(screen).toMatchObject({ lost: 0, p95Ms: expect.any(Number) as number });
  expect(peer).toMatchObject({ name: 'socketio', p50Ms: expect.any(Number) as number });
}, 400_000);
