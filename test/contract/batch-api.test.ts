import {
  CreateComputeEnvironmentCommand,
  CreateJobQueueCommand,
  DeleteComputeEnvironmentCommand,
  DeleteJobQueueCommand,
  DeregisterJobDefinitionCommand,
  DescribeComputeEnvironmentsCommand,
  DescribeJobDefinitionsCommand,
  DescribeJobQueuesCommand,
  DescribeJobsCommand,
  ListJobsCommand,
  ListTagsForResourceCommand,
  RegisterJobDefinitionCommand,
  type SubmitJobCommandInput,
  TagResourceCommand,
  UpdateComputeEnvironmentCommand,
  UpdateJobQueueCommand,
} from '@aws-sdk/client-batch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BATCH_READY, type BatchTarget, NODE_IMAGE, openBatchTarget, requirements } from './batch-target.ts';

let at: BatchTarget;
let node: string;
const properties = { image: NODE_IMAGE, command: ['node', '-e', ''], resourceRequirements: requirements(128) };

describe.skipIf(!BATCH_READY)('AWS Batch API', () => {
  beforeAll(async () => {
    at = await openBatchTarget();
    node = await at.register({ containerProperties: properties });
  });
  afterAll(() => at?.close());

  it.each<[string, Partial<SubmitJobCommandInput>, RegExp]>([
    ['a name with a dot', { jobName: 'a.b' }, /Job name should match valid pattern/],
    ['a name that is too long', { jobName: 'a'.repeat(129) }, /Job name should match valid pattern/],
    ['a queue nobody has', { jobQueue: 'longhaul-nobody' }, /not found/],
    ['a definition nobody has', { jobDefinition: 'longhaul-nobody' }, /does not exist or is not in ACTIVE status/],
    ['an array of one', { arrayProperties: { size: 1 } }, /./],
    ['an array that is too large', { arrayProperties: { size: 10_001 } }, /./],
    ['a short timeout', { timeout: { attemptDurationSeconds: 59 } }, /./],
    ['eleven attempts', { retryStrategy: { attempts: 11 } }, /./],
    [
      'a payload above 30 KiB',
      { containerOverrides: { environment: [{ name: 'X', value: 'x'.repeat(31_000) }] } },
      /./,
    ],
    [
      'an override of another kind',
      { ecsPropertiesOverride: { taskProperties: [{ containers: [{ name: 'x' }] }] } },
      /./,
    ],
    [
      'an environment of the service',
      { containerOverrides: { environment: [{ name: 'AWS_BATCH_X', value: '1' }] } },
      /./,
    ],
    ['SEQUENTIAL without an array', { dependsOn: [{ type: 'SEQUENTIAL' }] }, /./],
  ])('refuses a job with %s', async (_, input, message) => {
    await expect(at.submit(node, input)).rejects.toMatchObject({
      name: 'ClientException',
      message: expect.stringMatching(message),
      $metadata: { httpStatusCode: 400 },
    });
  });

  it('describes at most 100 jobs, and leaves out the unknown', async () => {
    const unknown = '00000000-0000-4000-8000-000000000000';
    expect((await at.batch.send(new DescribeJobsCommand({ jobs: [unknown] }))).jobs).toEqual([]);
    await expect(at.batch.send(new DescribeJobsCommand({ jobs: Array(101).fill(unknown) }))).rejects.toThrow(
      /Maximum number of jobs/,
    );
  });

  it('lists jobs by status, and by one filter whatever the status', async () => {
    const jobName = at.target.unique('List');
    const ids = [await at.submit(node, { jobName }), await at.submit(node, { jobName: `${jobName}-b` })];
    for (const id of ids) await at.over(id);
    const list = async (input: object) =>
      (await at.batch.send(new ListJobsCommand({ jobQueue: at.queue, ...input }))).jobSummaryList ?? [];
    const names = async (name: string, value: string) =>
      (await list({ filters: [{ name, values: [value] }] })).map(({ jobId }) => jobId);
    expect(await names('JOB_NAME', jobName.toUpperCase())).toEqual([ids[0]]);
    expect((await names('JOB_NAME', `${jobName}*`)).sort()).toEqual([...ids].sort());
    expect(await names('JOB_DEFINITION', node)).toEqual(expect.arrayContaining(ids));
    expect(await names('AFTER_CREATED_AT', String((await at.job(ids[0] ?? '')).createdAt ?? 0))).not.toContain(ids[0]);
    expect((await list({})).map(({ jobId }) => jobId)).not.toContain(ids[0]);
    expect((await list({ jobStatus: 'SUCCEEDED' })).map(({ jobId }) => jobId)).toEqual(expect.arrayContaining(ids));
    const first = await at.batch.send(
      new ListJobsCommand({
        jobQueue: at.queue,
        filters: [{ name: 'JOB_NAME', values: [`${jobName}*`] }],
        maxResults: 1,
      }),
    );
    const second = await at.batch.send(
      new ListJobsCommand({
        jobQueue: at.queue,
        filters: [{ name: 'JOB_NAME', values: [`${jobName}*`] }],
        maxResults: 1,
        nextToken: first.nextToken,
      }),
    );
    const paged = [...(first.jobSummaryList ?? []), ...(second.jobSummaryList ?? [])].map(({ jobId }) => jobId);
    expect(paged.sort()).toEqual([...ids].sort());
    await expect(list({ arrayJobId: ids[0] })).rejects.toMatchObject({ name: 'ClientException' });
  });

  it('counts revisions of definitions, and uses the latest active one', async () => {
    const jobDefinitionName = at.target.unique('revisions');
    const register = () =>
      at.batch.send(
        new RegisterJobDefinitionCommand({ jobDefinitionName, type: 'container', containerProperties: properties }),
      );
    expect((await register()).revision).toBe(1);
    expect((await register()).revision).toBe(2);
    await at.batch.send(new DeregisterJobDefinitionCommand({ jobDefinition: `${jobDefinitionName}:2` }));
    const describe = async (input: object) =>
      (await at.batch.send(new DescribeJobDefinitionsCommand(input))).jobDefinitions ?? [];
    expect((await describe({ jobDefinitionName, status: 'ACTIVE' })).map(({ revision }) => revision)).toEqual([1]);
    expect((await describe({ jobDefinitions: [`${jobDefinitionName}:2`] })).map(({ status }) => status)).toEqual([
      'INACTIVE',
    ]);
    const id = await at.submit(jobDefinitionName);
    expect((await at.job(id)).jobDefinition).toMatch(/:1$/);
    await at.batch.send(new DeregisterJobDefinitionCommand({ jobDefinition: `${jobDefinitionName}:1` }));
    await expect(at.submit(jobDefinitionName)).rejects.toThrow(/not in ACTIVE status/);
    expect((await register()).revision).toBe(3);
    await at.batch.send(new DeregisterJobDefinitionCommand({ jobDefinition: `${jobDefinitionName}:3` }));
  });

  it.each([
    ['no properties', { containerProperties: {} }, /Container properties should not be empty/],
    [
      'no vCPUs',
      { containerProperties: { ...properties, resourceRequirements: [{ type: 'MEMORY', value: '128' }] } },
      /vCPU/,
    ],
    [
      'half a vCPU',
      {
        containerProperties: {
          ...properties,
          resourceRequirements: [
            { type: 'VCPU', value: '0.5' },
            { type: 'MEMORY', value: '128' },
          ],
        },
      },
      /./,
    ],
    [
      'an unknown volume',
      { containerProperties: { ...properties, mountPoints: [{ sourceVolume: 'x', containerPath: '/x' }] } },
      /./,
    ],
  ])('refuses a definition with %s', async (_, input, message) => {
    await expect(at.register(input as Parameters<typeof at.register>[0])).rejects.toMatchObject({
      name: 'ClientException',
      message: expect.stringMatching(message),
    });
  });

  it('keeps tags', async () => {
    await at.batch.send(new TagResourceCommand({ resourceArn: node, tags: { a: '1' } }));
    await at.batch.send(new TagResourceCommand({ resourceArn: node, tags: { b: '2' } }));
    expect((await at.batch.send(new ListTagsForResourceCommand({ resourceArn: node }))).tags).toEqual({
      a: '1',
      b: '2',
    });
  });

  it.skipIf(process.env.LONGHAUL_VERIFY_AWS === '1')(
    'deletes environments and queues only when nothing needs them',
    async () => {
      const [environment, queue] = [at.target.unique('environment'), at.target.unique('queue')];
      const create = new CreateComputeEnvironmentCommand({
        computeEnvironmentName: environment,
        type: 'MANAGED',
        computeResources: { type: 'FARGATE', maxvCpus: 4, subnets: ['subnet-1'], securityGroupIds: ['sg-1'] },
      });
      await at.batch.send(create);
      await expect(at.batch.send(create)).rejects.toThrow('Object already exists');
      await at.batch.send(
        new CreateJobQueueCommand({
          jobQueueName: queue,
          priority: 1,
          computeEnvironmentOrder: [{ order: 1, computeEnvironment: environment }],
        }),
      );
      await at.batch.send(
        new UpdateComputeEnvironmentCommand({
          computeEnvironment: environment,
          state: 'DISABLED',
          computeResources: { maxvCpus: 8 },
        }),
      );
      const { computeEnvironments } = await at.batch.send(
        new DescribeComputeEnvironmentsCommand({ computeEnvironments: [environment] }),
      );
      expect(computeEnvironments).toMatchObject([
        { state: 'DISABLED', status: 'VALID', computeResources: { maxvCpus: 8 } },
      ]);
      await expect(
        at.batch.send(new DeleteComputeEnvironmentCommand({ computeEnvironment: environment })),
      ).rejects.toThrow('Cannot delete, found existing JobQueue relationship');
      await expect(at.batch.send(new DeleteJobQueueCommand({ jobQueue: queue }))).rejects.toMatchObject({
        name: 'ClientException',
      });
      await at.batch.send(new UpdateJobQueueCommand({ jobQueue: queue, state: 'DISABLED' }));
      await expect(at.submit(node, { jobQueue: queue })).rejects.toThrow(/ENABLED/);
      await at.batch.send(new DeleteJobQueueCommand({ jobQueue: queue }));
      await at.batch.send(new DeleteComputeEnvironmentCommand({ computeEnvironment: environment }));
      expect((await at.batch.send(new DescribeJobQueuesCommand({ jobQueues: [queue] }))).jobQueues).toEqual([]);
    },
  );
});
