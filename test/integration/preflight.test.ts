/** `longhaul launch preflight` on the embedded platform: what it finds, how it ends, and that it changes nothing. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UpdateJobQueueCommand } from '@aws-sdk/client-batch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../infra/local/platform/root.ts';
import type { Preflight } from '../../workflows/launch/preflight.ts';
import { sheet } from '../support/live-sheet.ts';
import { type Longhaul, openLonghaul } from '../support/longhaul.ts';

/** Letters and digits, as DynamoDB Local takes them. */
const KEY = 'preflight';
let longhaul: Longhaul;

beforeAll(async () => {
  longhaul = await openLonghaul();
  await longhaul.put('data/reads/a.fq', 'ACGT');
});
afterAll(() => longhaul?.close());

async function check(name: string, text: string, ...more: string[]) {
  const path = join(longhaul.directory, name);
  await writeFile(path, text);
  return longhaul.cli('launch', 'preflight', path, ...more);
}

describe('longhaul launch preflight', () => {
  it('finds nothing wrong with a sheet that can be launched: images, roles and queue are there', async () => {
    const scatter = { sample: { discover: 'reads/*.fq' } };
    const count = { scatter: ['sample'], inputs: { reads: 'reads/${{ sample }}.fq' }, command: 'true' };
    const { code, stdout, stderr } = await check('good.yaml', sheet('preflight-1', { count }, { scatter }));

    expect(stderr).toBe('');
    expect(stdout).toMatch(/good\.yaml can be launched: 0 errors, 0 warnings\n$/);
    expect(code).toBe(0);
    const asked = await longhaul.calls({ service: 'iam', operation: 'GetRole' });
    expect(asked.map(({ subject }) => subject).toSorted()).toEqual(['longhaul-execution', 'longhaul-jobs']);
  });

  it('changes nothing', async () => {
    const before = (await longhaul.calls({})).length;
    const path = join(longhaul.directory, 'again.yaml');
    await writeFile(path, sheet('preflight-3', { a: { command: 'true' } }));
    // By a key of its own its calls are told from those that the platform's processes make at any time.
    const command = [process.execPath, join(packageRoot(), 'bin/longhaul.mjs'), 'launch', 'preflight', path];
    await longhaul.run('env', `AWS_ACCESS_KEY_ID=${KEY}`, ...command);
    const after = await longhaul.calls({});
    // A registry is asked without one.
    const own = after
      .slice(before)
      .filter(({ service, principal }) => principal === KEY || service === 'registry')
      .map(({ operation }) => operation);

    expect(own).toEqual(expect.arrayContaining(['GetRole', 'DescribeJobQueues', 'GetManifest']));
    expect(own.filter((operation) => /^(Put|Create|Delete|Submit|Register|Update)/.test(operation))).toEqual([]);
  });

  it('names every problem with its line, and a remedy', async () => {
    const { code, stdout } = await check(
      'bad.yaml',
      sheet('preflight-2', {
        align: { command: 'true', image: 'lab/nothing:1' },
        sort: { command: 'true', inputs: { bam: 'reads/b.bam' }, resources: { vcpus: 2, memoryMiB: 64_000 } },
      }),
    );

    expect(code).toBe(1);
    expect(stdout).toMatch(
      /✖ error {2}\S+bad\.yaml:\d+: steps\.align\.image\n {6}lab\/nothing:1: .* has no 1 of lab\/nothing/,
    );
    expect(stdout).toMatch(
      /asks for 4 vCPUs and 65,024 MiB \(main 64,000, stage 512, publish 512\), but the largest host of compute environment longhaul \(m5\.4xlarge\) offers 16 vCPUs and 62,987 MiB\n {6}remedy: ask for at most 61,963 MiB, or add a larger instance type/,
    );
    expect(stdout).toMatch(
      /steps\.sort\.inputs\.bam\n {6}s3:\/\/longhaul\/data\/reads\/b\.bam: there is no such object/,
    );
    expect(stdout).toMatch(/bad\.yaml: 3 errors, 0 warnings\n$/);
  });

  it('prints one JSON object, with the digests', async () => {
    const result = await check('one.yaml', sheet(undefined, { a: { command: 'true' } }), '--json');
    const found = result.json() as unknown as Preflight;

    expect(result.code).toBe(0);
    expect(found.findings).toEqual([]);
    expect(Object.keys(found.digests).toSorted()).toEqual(['longhaul/genomics:1', 'longhaul/jobs:0.1.0']);
  });

  it('runs an image by the digest it names', async () => {
    const { digests } = (
      await check('pin.yaml', sheet('pin', { a: { command: 'true' } }), '--json')
    ).json() as unknown as Preflight;
    const image = `longhaul/genomics@${digests['longhaul/genomics:1']}`;
    const path = join(longhaul.directory, 'pinned.yaml');
    await writeFile(path, sheet('preflight-pinned', { a: { command: 'true', image } }));

    expect((await longhaul.cli('launch', 'submit', path, '--watch')).stdout).toMatch(/COMPLETE/);
  });

  it('refuses a sheet that is none, as submit does', async () => {
    const { code, stderr } = await check('none.yaml', 'apiVersion: longhaul/v1\n');

    expect(code).toBe(2);
    expect(stderr).toMatch(/MissingRequiredParametersError|InvalidSheetError/);
    expect((await longhaul.cli('launch', 'preflight', join(longhaul.directory, 'nobody.yaml'))).code).toBe(2);
  });

  it('says that the queue is disabled', async () => {
    const set = (state: 'ENABLED' | 'DISABLED') =>
      longhaul.aws.batch.send(new UpdateJobQueueCommand({ jobQueue: 'longhaul', state }));
    await set('DISABLED');

    const { code, stdout } = await check('off.yaml', sheet('preflight-4', { a: { command: 'true' } }));
    await set('ENABLED');

    expect(code).toBe(1);
    expect(stdout).toMatch(/✖ error {2}setting batchQueue\n {6}the job queue longhaul is DISABLED/);
  });
});
