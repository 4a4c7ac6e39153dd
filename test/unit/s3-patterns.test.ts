/** Listing by pattern against the S3 stand-in: only the pattern's own wildcards count. */
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { listMatches } from '../../lib/s3-patterns.ts';
import { openStandIns, type StandIns } from '../support/stand-ins.ts';

let standIns: StandIns;
const KEYS = ['x*/reads/a_1.fq', 'x*/reads/b_1.fq', 'x*/reads/lane 2/c_1.fq', 'x*/other.txt', 'xyz/reads/d_1.fq'];

beforeAll(async () => {
  standIns = await openStandIns();
  await standIns.s3.send(new CreateBucketCommand({ Bucket: 'data' }));
  for (const Key of KEYS) await standIns.s3.send(new PutObjectCommand({ Bucket: 'data', Key, Body: 'x' }));
});
afterAll(() => standIns.close());

async function namesOf(base: string, pattern: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of listMatches(standIns.s3, base, pattern)) names.push(name);
  return names;
}

it('takes the characters of the base as they are', async () => {
  expect(await namesOf('s3://data/x*/', 'reads/*_1.fq')).toEqual(['a_1.fq', 'b_1.fq']);
});

it('goes into folders with **', async () => {
  expect(await namesOf('s3://data/x*/', 'reads/**/*.fq')).toEqual(['a_1.fq', 'b_1.fq', 'lane 2/c_1.fq']);
});

it('takes an address of its own instead of the base', async () => {
  expect(await namesOf('s3://elsewhere/', 's3://data/xyz/reads/?_1.fq')).toEqual(['d_1.fq']);
});

it('gives address, path and name of each', async () => {
  for await (const match of listMatches(standIns.s3, 's3://data/x*/', 'reads/lane*/*.fq')) {
    expect(match).toEqual({
      address: 's3://data/x*/reads/lane 2/c_1.fq',
      path: 'reads/lane 2/c_1.fq',
      name: 'lane 2/c_1.fq',
    });
  }
  expect.assertions(1);
});
