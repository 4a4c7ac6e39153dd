import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const SCRIPT = join(import.meta.dirname, '../../scripts/verify-aws.mjs');
const KEYS = { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret', AWS_REGION: 'eu-west-1' };
let home: string;

/** Without any of the AWS settings of who runs the tests. */
function run(env: Record<string, string>, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, ...args], {
    env: { PATH: process.env.PATH, HOME: home, AWS_EC2_METADATA_DISABLED: 'true', ...env },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'longhaul-verify-aws-'));
});

afterAll(() => rmSync(home, { recursive: true }));

describe('npm run verify:aws', () => {
  it('refuses where no credentials can be found', () => {
    const { status, stdout, stderr } = run({ AWS_REGION: 'eu-west-1' }, '--yes');

    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain('No AWS credentials were found');
  });

  it.each(['AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_S3'])('refuses while %s is set', (name) => {
    const { status, stdout, stderr } = run({ ...KEYS, [name]: 'http://127.0.0.1:1' }, '--yes');

    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(`${name} is set`);
  });

  it('refuses without a Region', () => {
    const { AWS_REGION: _, ...keys } = KEYS;

    const { status, stderr } = run(keys, '--yes');

    expect(status).toBe(2);
    expect(stderr).toContain('No AWS Region is set');
  });

  it('refuses what it does not know', () => {
    const { status, stderr } = run(KEYS, '--yess');

    expect(status).toBe(2);
    expect(stderr).toContain('--yess');
  });

  it('says what it would create and cost, and does nothing without --yes', () => {
    const { status, stdout, stderr } = run(KEYS);

    expect(status).toBe(2);
    expect(stdout).toMatch(/in eu-west-1\..*longhaul-contract-.*run +no jobs.*US dollars/s);
    expect(stderr).toContain('Nothing was done');
  });

  it('says on whose queue it would run jobs', () => {
    const { stdout } = run({ ...KEYS, LONGHAUL_VERIFY_BATCH_QUEUE: 'my-queue' });

    expect(stdout).toMatch(/jobs of 1 vCPU on your job queue my-queue;/);
  });

  it('says whether it would run pipes', () => {
    const LONGHAUL_VERIFY_PIPE_ROLE = 'arn:aws:iam::123456789012:role/pipes';

    expect(run(KEYS).stdout).toMatch(/no pipes: LONGHAUL_VERIFY_PIPE_ROLE/);
    expect(run({ ...KEYS, LONGHAUL_VERIFY_PIPE_ROLE }).stdout).toMatch(/EventBridge pipes with your role/);
  });
});
