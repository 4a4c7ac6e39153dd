import {
  DescribeBackupsCommand,
  DescribeFileSystemsCommand,
  type DescribeFileSystemsCommandInput,
  FSxClient,
  paginateDescribeFileSystems,
} from '@aws-sdk/client-fsx';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openTarget, type Target } from './target.ts';

let target: Target;
let fsx: FSxClient;

beforeAll(async () => {
  target = await openTarget();
  fsx = new FSxClient(target.client);
});
// What earlier tests have used of the rate is there again.
beforeEach(() => target.local?.kit.clock.advance(10_000));
afterAll(async () => {
  fsx.destroy();
  await target.close();
});

const fileSystems = async (input: DescribeFileSystemsCommandInput) =>
  (await fsx.send(new DescribeFileSystemsCommand(input))).FileSystems ?? [];

describe('file systems', () => {
  it.each<[string, DescribeFileSystemsCommandInput, string]>([
    ['one that is not there', { FileSystemIds: ['fs-00000000000000000'] }, 'FileSystemNotFound'],
    ['what is no id', { FileSystemIds: ['file-system'] }, 'BadRequest'],
    ['a page of none', { MaxResults: 0 }, 'BadRequest'],
  ])('are refused for %s', async (_, input, name) => {
    await expect(fileSystems(input)).rejects.toMatchObject({
      name: target.real ? expect.any(String) : name,
      $metadata: { httpStatusCode: 400 },
    });
  });
});

describe.skipIf(process.env.LONGHAUL_VERIFY_AWS === '1')('the stand-in', () => {
  const put = (input: Record<string, unknown>) =>
    target.local?.kit.actions.get('POST file-systems')?.(input) as { FileSystemId: string };

  it('has the file systems that were put in', async () => {
    const made = target.local?.kit.clock.now() ?? 0;
    const { FileSystemId } = put({
      StorageCapacity: 2400,
      LustreConfiguration: { DeploymentType: 'PERSISTENT_2', PerUnitStorageThroughput: 125 },
      Tags: [{ Key: 'team', Value: 'plants' }],
    });
    const [found] = await fileSystems({ FileSystemIds: [FileSystemId] });

    expect(found).toMatchObject({
      FileSystemId: expect.stringMatching(/^fs-0[0-9a-f]{16}$/),
      FileSystemType: 'LUSTRE',
      Lifecycle: 'AVAILABLE',
      StorageCapacity: 2400,
      StorageType: 'SSD',
      LustreConfiguration: { DeploymentType: 'PERSISTENT_2', PerUnitStorageThroughput: 125 },
      Tags: [{ Key: 'team', Value: 'plants' }],
    });
    expect(Math.abs((found?.CreationTime?.getTime() ?? 0) - made)).toBeLessThan(5000);
  });

  it('tells them page by page, each once', async () => {
    const put3 = [1, 2, 3].map(() => put({ LustreConfiguration: { DeploymentType: 'SCRATCH_2' } }).FileSystemId);
    const seen: string[] = [];
    for await (const { FileSystems = [] } of paginateDescribeFileSystems({ client: fsx, pageSize: 2 }, {})) {
      expect(FileSystems.length).toBeLessThanOrEqual(2);
      seen.push(...FileSystems.map(({ FileSystemId = '' }) => FileSystemId));
    }

    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining(put3));
  });

  it.each([
    { LustreConfiguration: { DeploymentType: 'PERSISTENT_2', PerUnitStorageThroughput: 100 } },
    { LustreConfiguration: { DeploymentType: 'SCRATCH_2' }, StorageType: 'HDD' },
    { StorageCapacity: 100 },
  ])('takes none that FSx would not make: %o', (input) => {
    expect(() => put(input)).toThrow();
  });

  it('keeps them over a restart', async () => {
    const { FileSystemId } = put({});
    await target.restart?.('stand-ins', async () => {});

    expect(await fileSystems({ FileSystemIds: [FileSystemId] })).toHaveLength(1);
  });

  it('throttles, and answers again a little later', async () => {
    const impatient = new FSxClient({ ...target.client, maxAttempts: 1 });
    const ask = () => impatient.send(new DescribeFileSystemsCommand({}));

    const answers = await Promise.allSettled(Array.from({ length: 80 }, ask));
    const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : []));
    target.local?.kit.clock.advance(1_000);

    expect(refused[0]).toMatchObject({ name: 'ThrottlingException', $metadata: { httpStatusCode: 400 } });
    await expect(ask()).resolves.toHaveProperty('FileSystems');
    impatient.destroy();
  });

  it('refuses what it does not have', async () => {
    await expect(fsx.send(new DescribeBackupsCommand({}))).rejects.toMatchObject({ name: 'UnknownOperationException' });
  });
});
