import {
  type CRType,
  CreateComputeEnvironmentCommand,
  CreateJobQueueCommand,
  type JobDetail,
  RegisterJobDefinitionCommand,
} from '@aws-sdk/client-batch';
import { DescribeInstancesCommand, DescribeVolumesCommand, EC2Client, type Instance } from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BATCH_READY, type BatchTarget, NODE_IMAGE, openBatchTarget, requirements } from './batch-target.ts';

let at: BatchTarget;
let ec2: EC2Client;

/** What a job is told of its instance and of its task. */
const ASK = `(async () => {
  const { AWS_EC2_METADATA_SERVICE_ENDPOINT: service, ECS_CONTAINER_METADATA_URI_V4: agent } = process.env;
  const url = service ?? 'http://169.254.169.254';
  const told = { task: await (await fetch(agent + '/task')).json() };
  if (told.task.LaunchType === 'EC2') {
    const headers = { 'x-aws-ec2-metadata-token-ttl-seconds': '60' };
    const token = await (await fetch(url + '/latest/api/token', { method: 'PUT', headers })).text();
    const asked = { headers: { 'x-aws-ec2-metadata-token': token } };
    told.instance = await (await fetch(url + '/latest/dynamic/instance-identity/document', asked)).json();
  }
  console.log(JSON.stringify(told));
})()`;

interface Told {
  task: {
    Cluster: string;
    AvailabilityZone: string;
    LaunchType: string;
    Limits: { CPU: number; Memory: number };
  };
  instance: {
    instanceId: string;
    instanceType: string;
    availabilityZone: string;
    architecture: string;
    pendingTime: string;
  };
}

const containerProperties = {
  image: NODE_IMAGE,
  command: ['node', '-e', ASK],
  resourceRequirements: requirements(512),
};

async function told(job: JobDetail): Promise<Told> {
  const [line = '{}'] = await at.lines(job.container?.logStreamName ?? '');
  return JSON.parse(line) as Told;
}

async function instance(id: string): Promise<Instance | undefined> {
  const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }));
  return Reservations[0]?.Instances?.[0];
}

describe.skipIf(!BATCH_READY)(
  'instances that Batch has launched',
  { timeout: process.env.LONGHAUL_VERIFY_AWS === '1' ? 900_000 : 60_000 },
  () => {
    let facts: Told['instance'];

    beforeAll(async () => {
      at = await openBatchTarget();
      ec2 = new EC2Client(at.target.client);
      const definition = await at.register({ containerProperties });
      facts = (await told(await at.over(await at.submit(definition)))).instance;
    });
    afterAll(async () => {
      ec2?.destroy();
      await at?.close();
    });

    it('are known to EC2 as to the jobs on them', async () => {
      const found = await instance(facts.instanceId);

      expect(facts.pendingTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      expect(found).toMatchObject({
        InstanceId: facts.instanceId,
        InstanceType: facts.instanceType,
        Architecture: facts.architecture,
        State: { Name: 'running' },
        StateTransitionReason: '',
        LaunchTime: new Date(facts.pendingTime),
        Placement: { AvailabilityZone: facts.availabilityZone, Tenancy: 'default' },
        RootDeviceType: 'ebs',
      });
      expect(found?.InstanceLifecycle).toBeUndefined();
      expect(found?.Tags).toContainEqual({
        Key: 'aws:autoscaling:groupName',
        Value: expect.stringMatching(/-asg-[0-9a-f-]{36}$/),
      });
    });

    it('have a root volume, which is found by its id and by its instance', async () => {
      const { BlockDeviceMappings = [] } = (await instance(facts.instanceId)) ?? {};
      const VolumeIds = BlockDeviceMappings.flatMap(({ Ebs }) => Ebs?.VolumeId ?? []);
      const Filters = [{ Name: 'attachment.instance-id', Values: [facts.instanceId] }];
      const byId = await ec2.send(new DescribeVolumesCommand({ VolumeIds }));
      const byInstance = await ec2.send(new DescribeVolumesCommand({ Filters }));

      expect(byId.Volumes?.length).toBeGreaterThan(0);
      expect(byInstance.Volumes).toEqual(byId.Volumes);
      for (const volume of byId.Volumes ?? []) {
        expect(volume).toMatchObject({
          VolumeId: expect.stringMatching(/^vol-[0-9a-f]+$/),
          VolumeType: expect.stringMatching(/^(gp[23]|io[12]|st1|sc1|standard)$/),
          Size: expect.any(Number),
          State: 'in-use',
          AvailabilityZone: facts.availabilityZone,
          CreateTime: expect.any(Date),
          Attachments: [{ InstanceId: facts.instanceId, State: 'attached', DeleteOnTermination: expect.any(Boolean) }],
        });
      }
    });

    it('are found by filters', async () => {
      const byId = [{ Name: 'instance-id', Values: [facts.instanceId] }];
      const running = [...byId, { Name: 'instance-state-name', Values: ['running'] }];
      const spot = [...byId, { Name: 'instance-lifecycle', Values: ['spot'] }];
      const find = async (Filters: typeof byId) =>
        (await ec2.send(new DescribeInstancesCommand({ Filters }))).Reservations?.length;

      expect([await find(byId), await find(running), await find(spot)]).toEqual([1, 1, 0]);
    });

    describe.skipIf(process.env.LONGHAUL_VERIFY_AWS === '1')('on the stand-in', () => {
      /** A queue of its own. */
      async function queue(type: CRType, subnets: string[]): Promise<string> {
        const name = at.target.unique('queue');
        const computeResources =
          type === 'FARGATE'
            ? { type, maxvCpus: 16, subnets, securityGroupIds: ['sg-0123456789abcdef0'] }
            : {
                type,
                maxvCpus: 64,
                subnets,
                instanceTypes: ['m5.large'],
                instanceRole: 'role',
                tags: { team: 'plants' },
              };
        await at.batch.send(
          new CreateComputeEnvironmentCommand({ computeEnvironmentName: name, type: 'MANAGED', computeResources }),
        );
        const computeEnvironmentOrder = [{ order: 1, computeEnvironment: name }];
        await at.batch.send(new CreateJobQueueCommand({ jobQueueName: name, priority: 1, computeEnvironmentOrder }));
        return name;
      }

      it('are told of for an hour after their end, and their volumes not at all', async () => {
        const definition = await at.register({ containerProperties });
        const { instance: lost } = await told(await at.over(await at.submit(definition)));
        const volume = (await instance(lost.instanceId))?.BlockDeviceMappings?.[0]?.Ebs?.VolumeId ?? '';
        const { kit } = at.target.local ?? {};

        kit?.actions.get('POST lose-instance')?.({ instanceId: lost.instanceId });
        const ended = await instance(lost.instanceId);
        kit?.clock.advance(59 * 60_000);
        const later = await instance(lost.instanceId);
        kit?.clock.advance(2 * 60_000);

        expect(ended).toMatchObject({
          State: { Name: 'terminated' },
          StateTransitionReason: expect.stringMatching(/^User initiated \(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d GMT\)$/),
          StateReason: { Code: 'Client.UserInitiatedShutdown' },
          BlockDeviceMappings: [],
        });
        expect(later).toEqual(ended);
        await expect(instance(lost.instanceId)).rejects.toMatchObject({ name: 'InvalidInstanceID.NotFound' });
        await expect(ec2.send(new DescribeVolumesCommand({ VolumeIds: [volume] }))).rejects.toMatchObject({
          name: 'InvalidVolume.NotFound',
        });
      });

      it('stand in the zones of their subnets, with the tags of their environment; spot ones are taken back', async () => {
        const jobQueue = await queue('SPOT', ['subnet-0000000000000000a', 'subnet-0000000000000000b']);
        const definition = await at.register({
          containerProperties: { ...containerProperties, resourceRequirements: requirements(512, 2) },
        });
        const jobs = await Promise.all([0, 1].map(() => at.submit(definition, { jobQueue })));
        const both = await Promise.all(jobs.map(async (job) => (await told(await at.over(job))).instance));
        const [lost] = both;
        at.target.local?.kit.actions.get('POST lose-instance')?.({ instanceId: lost?.instanceId });

        expect(both.map(({ availabilityZone }) => availabilityZone).toSorted()).toEqual(['us-east-1a', 'us-east-1b']);
        expect(await instance(lost?.instanceId ?? '')).toMatchObject({
          InstanceLifecycle: 'spot',
          StateTransitionReason: 'Server.SpotInstanceTermination',
          StateReason: { Code: 'Server.SpotInstanceTermination' },
          Tags: expect.arrayContaining([{ Key: 'team', Value: 'plants' }]),
        });
      });

      it('are there for a task of EC2, and told by it', async () => {
        const { task } = await told(await at.over(await at.submit(await at.register({ containerProperties }))));

        expect(task).toMatchObject({
          Cluster: expect.stringMatching(/^arn:aws:ecs:us-east-1:\d+:cluster\/.+_Batch_[0-9a-f-]{36}$/),
          LaunchType: 'EC2',
          AvailabilityZone: 'us-east-1a',
          Limits: { CPU: 1, Memory: 512 },
        });
      });

      it('are not there for a task of Fargate, which has a size that Fargate has', async () => {
        const jobQueue = await queue('FARGATE', ['subnet-0000000000000000a']);
        const { jobDefinitionArn } = await at.batch.send(
          new RegisterJobDefinitionCommand({
            jobDefinitionName: at.target.unique('definition'),
            type: 'container',
            platformCapabilities: ['FARGATE'],
            containerProperties: {
              ...containerProperties,
              executionRoleArn: 'arn:aws:iam::123456789012:role/execution',
              resourceRequirements: requirements(2048),
            },
          }),
        );
        const before = (await ec2.send(new DescribeInstancesCommand({}))).Reservations?.length;
        const { task } = await told(await at.over(await at.submit(jobDefinitionArn ?? '', { jobQueue })));

        expect(task).toMatchObject({ LaunchType: 'FARGATE', Limits: { CPU: 1, Memory: 2048 } });
        expect((await ec2.send(new DescribeInstancesCommand({}))).Reservations).toHaveLength(before ?? -1);
      });
    });
  },
);
