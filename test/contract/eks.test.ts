import {
  DescribeClusterCommand,
  DescribeClusterVersionsCommand,
  type DescribeClusterVersionsCommandInput,
  EKSClient,
  ListClustersCommand,
} from '@aws-sdk/client-eks';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openTarget, type Target } from './target.ts';

let target: Target;
let eks: EKSClient;

beforeAll(async () => {
  target = await openTarget();
  eks = new EKSClient(target.client);
});
// What earlier tests have used of the rate is there again.
beforeEach(() => target.local?.kit.clock.advance(10_000));
afterAll(async () => {
  eks.destroy();
  await target.close();
});

const cluster = async (name: string) => (await eks.send(new DescribeClusterCommand({ name }))).cluster;
const versions = async (input: DescribeClusterVersionsCommandInput) =>
  (await eks.send(new DescribeClusterVersionsCommand(input))).clusterVersions ?? [];

describe('clusters', () => {
  it('that are not there are refused', async () => {
    await expect(cluster(target.unique('cluster'))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      $metadata: { httpStatusCode: 404 },
    });
  });
});

describe('versions of Kubernetes', () => {
  it('are supported for nothing until a day, and for money until another', async () => {
    const found = await versions({});

    expect(found.length).toBeGreaterThan(2);
    for (const one of found) {
      expect(one.clusterVersion).toMatch(/^1\.\d+$/);
      const [standard = 0, extended = 0] = [one.endOfStandardSupportDate, one.endOfExtendedSupportDate].map((date) =>
        date?.getTime(),
      );
      expect(standard).toBeGreaterThan(one.releaseDate?.getTime() ?? 0);
      expect(extended).toBeGreaterThan(standard);
      expect(one.versionStatus).toMatch(/^(STANDARD|EXTENDED)_SUPPORT$/);
      const now = target.local?.kit.clock.now() ?? Date.now();
      expect(one.versionStatus === 'STANDARD_SUPPORT').toBe(now < standard);
    }
    expect(found.filter(({ defaultVersion }) => defaultVersion)).toHaveLength(1);
  });

  it('are found by name and by status', async () => {
    const [any] = await versions({});
    const version = any?.clusterVersion ?? '';

    expect(await versions({ clusterVersions: [version] })).toEqual([any]);
    for (const one of await versions({ versionStatus: 'STANDARD_SUPPORT' })) {
      expect(one.versionStatus).toBe('STANDARD_SUPPORT');
    }
  });
});

describe.skipIf(process.env.LONGHAUL_VERIFY_AWS === '1')('the stand-in', () => {
  const put = (input: Record<string, unknown>) => target.local?.kit.actions.get('POST clusters')?.(input);

  it('has the clusters that were put in, over a restart too', async () => {
    put({ name: 'farm', version: '1.33', upgradePolicy: { supportType: 'STANDARD' }, tags: { team: 'plants' } });
    const found = await cluster('farm');
    await target.restart?.('stand-ins', async () => {});

    expect(found).toMatchObject({
      name: 'farm',
      arn: 'arn:aws:eks:us-east-1:123456789012:cluster/farm',
      version: '1.33',
      status: 'ACTIVE',
      createdAt: expect.any(Date),
      upgradePolicy: { supportType: 'STANDARD' },
      tags: { team: 'plants' },
    });
    expect(await cluster('farm')).toEqual(found);
  });

  it.each([{}, { name: 'farm', version: '1.2' }, { name: 'farm', upgradePolicy: { supportType: 'FOREVER' } }])(
    'takes none that EKS would not make: %o',
    (input) => {
      expect(() => put(input)).toThrow();
    },
  );

  it('supports a version no more once its time is over, by its own clock', async () => {
    const kit = target.local?.kit;
    const [before] = await versions({ clusterVersions: ['1.35'] });
    kit?.clock.advance(Date.parse('2027-03-27') - kit.clock.now());
    const [extended] = await versions({ clusterVersions: ['1.35'] });
    kit?.clock.advance(Date.parse('2028-03-27') - kit.clock.now());
    const shown = await versions({});
    const [gone] = await versions({ clusterVersions: ['1.35'] });

    expect([before, extended, gone].map((one) => one?.versionStatus)).toEqual([
      'STANDARD_SUPPORT',
      'EXTENDED_SUPPORT',
      'UNSUPPORTED',
    ]);
    expect(shown).toEqual([]);
  });

  it('throttles, and answers again a little later', async () => {
    const impatient = new EKSClient({ ...target.client, maxAttempts: 1 });
    const ask = () => impatient.send(new DescribeClusterVersionsCommand({}));

    const answers = await Promise.allSettled(Array.from({ length: 80 }, ask));
    const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : []));
    target.local?.kit.clock.advance(1_000);

    expect(refused[0]).toMatchObject({ name: 'ThrottlingException', $metadata: { httpStatusCode: 429 } });
    await expect(ask()).resolves.toHaveProperty('clusterVersions');
    impatient.destroy();
  });

  it('refuses what it does not have', async () => {
    await expect(eks.send(new ListClustersCommand({}))).rejects.toMatchObject({ name: 'UnknownOperationException' });
  });
});
