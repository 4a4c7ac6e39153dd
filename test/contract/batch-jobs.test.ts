import { CancelJobCommand, DescribeJobsCommand, ListJobsCommand, TerminateJobCommand } from '@aws-sdk/client-batch';
import { CloudWatchLogsClient, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  DeleteRuleCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BATCH_READY, type BatchTarget, NODE_IMAGE, openBatchTarget, requirements } from './batch-target.ts';

let at: BatchTarget;
let node: string;
const script = (text: string) => ({ containerOverrides: { command: ['node', '-e', text] } });

describe.skipIf(!BATCH_READY)(
  'AWS Batch jobs',
  { timeout: BATCH_READY && process.env.LONGHAUL_VERIFY_AWS === '1' ? 900_000 : 60_000 },
  () => {
    beforeAll(async () => {
      at = await openBatchTarget();
      node = await at.register({
        containerProperties: {
          image: NODE_IMAGE,
          resourceRequirements: requirements(512),
          environment: [
            { name: 'A', value: 'defined' },
            { name: 'B', value: 'kept' },
          ],
        },
        parameters: { word: 'default' },
      });
    });
    afterAll(() => at?.close());

    it('run, with parameters and overrides, and tell how they ended', async () => {
      const id = await at.submit(node, {
        parameters: { word: 'given' },
        tags: { 'longhaul:key': 'value' },
        containerOverrides: {
          command: [
            'node',
            '-e',
            'console.log(process.env.A, process.env.B, process.argv[1], process.env.AWS_BATCH_JOB_ATTEMPT)',
            'Ref::word',
          ],
          environment: [{ name: 'A', value: 'overridden' }],
        },
      });
      const job = await at.over(id);
      expect(job).toMatchObject({
        jobId: id,
        status: 'SUCCEEDED',
        statusReason: 'Essential container in task exited',
        tags: { 'longhaul:key': 'value' },
        container: { exitCode: 0, image: NODE_IMAGE },
        attempts: [{ container: { exitCode: 0 }, startedAt: expect.any(Number), stoppedAt: expect.any(Number) }],
      });
      expect(job.createdAt).toBeLessThanOrEqual(job.startedAt ?? 0);
      expect(job.startedAt).toBeLessThanOrEqual(job.stoppedAt ?? 0);
      const logStreamName = job.container?.logStreamName ?? '';
      expect(logStreamName).toMatch(/^[^/]+\/default\/[0-9a-f]{32}$/);
      const logs = new CloudWatchLogsClient(at.target.client);
      await expect
        .poll(async () => {
          const { events = [] } = await logs.send(
            new GetLogEventsCommand({ logGroupName: '/aws/batch/job', logStreamName, startFromHead: true }),
          );
          return events.map(({ message }) => message);
        })
        .toEqual(['overridden kept given 1']);
      logs.destroy();
    });

    it('that fail are tried again as their strategy says', async () => {
      const id = await at.submit(node, {
        ...script('process.exit(Number(process.env.AWS_BATCH_JOB_ATTEMPT) + 6)'),
        retryStrategy: {
          attempts: 5,
          evaluateOnExit: [
            { onExitCode: '8', action: 'EXIT' },
            { onReason: '*', action: 'RETRY' },
          ],
        },
      });
      const job = await at.over(id);
      expect(job).toMatchObject({ status: 'FAILED', statusReason: 'Essential container in task exited' });
      expect(job.attempts?.map(({ container }) => container?.exitCode)).toEqual([7, 8]);
      expect(new Set(job.attempts?.map(({ container }) => container?.logStreamName)).size).toBe(2);
    });

    it('that take more memory than they asked for are killed', async () => {
      const id = await at.submit(node, {
        containerOverrides: {
          command: ['node', '-e', 'const held = []; setInterval(() => held.push(Buffer.alloc(2e7, 1)), 2)'],
          resourceRequirements: [{ type: 'MEMORY', value: '256' }],
        },
      });
      expect(await at.over(id)).toMatchObject({
        status: 'FAILED',
        container: { exitCode: 137, reason: 'OutOfMemoryError: Container killed due to memory usage' },
      });
    });

    it('whose image is unknown fail without having started', async () => {
      const image = 'public.ecr.aws/docker/library/longhaul-no-such-image:1';
      const definition = await at.register({
        containerProperties: { image, command: ['true'], resourceRequirements: requirements(128) },
      });
      const job = await at.over(await at.submit(definition));
      expect(job).toMatchObject({ status: 'FAILED', statusReason: 'Task failed to start' });
      expect(job.attempts?.[0]?.container?.reason).toMatch(/^CannotPullContainerError: /);
      expect(job.attempts?.[0]?.container?.exitCode).toBeUndefined();
    });

    it('whose program is not there fail without an exit code', async () => {
      const job = await at.over(await at.submit(node, { containerOverrides: { command: ['no-such-program'] } }));
      expect(job.attempts?.[0]?.container).toMatchObject({
        reason: expect.stringMatching(/^CannotStartContainerError: .*"no-such-program": executable file not found/),
      });
    });

    it('wait for those they depend on, and fail with them', async () => {
      const slow = await at.submit(node, script('setTimeout(() => {}, 1000)'));
      const next = await at.submit(node, { ...script(''), dependsOn: [{ jobId: slow }] });
      await at.until(next, ({ status }) => status === 'PENDING');
      const [first, second] = [await at.over(slow), await at.over(next)];
      expect(second.startedAt).toBeGreaterThanOrEqual(first.stoppedAt ?? 0);
      const bad = await at.submit(node, script('process.exit(1)'));
      const lost = await at.submit(node, { ...script(''), dependsOn: [{ jobId: bad }] });
      expect(await at.over(lost)).toMatchObject({ status: 'FAILED', statusReason: 'Dependent Job failed' });
    });

    it('can be cancelled before they start, terminated at any time', async () => {
      const long = await at.submit(
        node,
        script('process.on("SIGTERM", () => process.exit(5)); console.log(1); setInterval(() => {}, 1000)'),
      );
      const behind = await at.submit(node, { ...script(''), dependsOn: [{ jobId: long }] });
      await at.until(long, ({ status }) => status === 'RUNNING');
      await at.batch.send(new CancelJobCommand({ jobId: long, reason: 'too late' }));
      await at.batch.send(new CancelJobCommand({ jobId: behind, reason: 'not needed' }));
      expect(await at.over(behind)).toMatchObject({ status: 'FAILED', statusReason: 'not needed', isCancelled: true });
      expect((await at.job(long)).status).toBe('RUNNING');
      await at.batch.send(new TerminateJobCommand({ jobId: long, reason: 'enough' }));
      expect(await at.over(long)).toMatchObject({ status: 'FAILED', statusReason: 'enough', isTerminated: true });
    });

    it('in arrays run once per index, and are counted', async () => {
      const jobId = await at.submit(node, {
        ...script('process.exit(process.env.AWS_BATCH_JOB_ARRAY_INDEX === "2" ? 4 : 0)'),
        arrayProperties: { size: 4 },
      });
      const parent = await at.over(jobId);
      expect(parent).toMatchObject({
        status: 'FAILED',
        arrayProperties: { size: 4, statusSummary: { SUCCEEDED: 3, FAILED: 1, RUNNING: 0 } },
      });
      const { jobs = [] } = await at.batch.send(
        new DescribeJobsCommand({ jobs: [`${jobId}:2`, `${jobId}:0`, `${jobId}:9`] }),
      );
      expect(jobs).toHaveLength(2);
      expect(jobs.find(({ jobId: child }) => child === `${jobId}:2`)).toMatchObject({
        arrayProperties: { index: 2 },
        container: { exitCode: 4 },
      });
      const { jobSummaryList = [] } = await at.batch.send(
        new ListJobsCommand({ arrayJobId: jobId, jobStatus: 'SUCCEEDED' }),
      );
      expect(jobSummaryList.map(({ arrayProperties }) => arrayProperties?.index).sort()).toEqual([0, 1, 3]);
    });

    it('in arrays can wait index by index', async () => {
      const first = await at.submit(node, {
        ...script('process.exit(Number(process.env.AWS_BATCH_JOB_ARRAY_INDEX))'),
        arrayProperties: { size: 2 },
      });
      const second = await at.submit(node, {
        ...script(''),
        arrayProperties: { size: 2 },
        dependsOn: [{ jobId: first, type: 'N_TO_N' }],
      });
      await at.over(second);
      expect(await at.job(`${second}:0`)).toMatchObject({ status: 'SUCCEEDED' });
      expect(await at.job(`${second}:1`)).toMatchObject({ status: 'FAILED', statusReason: 'Dependent Job failed' });
    });

    it('tell every step to EventBridge', async () => {
      const sqs = new SQSClient(at.target.client);
      const events = new EventBridgeClient(at.target.client);
      const name = at.target.unique('events');
      const jobName = at.target.unique('told');
      const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
      const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
      const Arn = Attributes?.QueueArn ?? '';
      const policy = {
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: Arn },
        ],
      };
      await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy: JSON.stringify(policy) } }));
      const pattern = {
        source: ['aws.batch'],
        'detail-type': ['Batch Job State Change'],
        detail: { jobName: [jobName] },
      };
      await events.send(new PutRuleCommand({ Name: name, EventPattern: JSON.stringify(pattern) }));
      await events.send(new PutTargetsCommand({ Rule: name, Targets: [{ Id: 'queue', Arn }] }));

      const id = await at.submit(node, { ...script(''), jobName });
      await at.over(id);

      const seen = new Map<string, { resources: string[]; detail: { jobId: string } }>();
      await expect
        .poll(
          async () => {
            const { Messages = [] } = await sqs.send(
              new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
            );
            for (const { Body = '{}' } of Messages) {
              const event = JSON.parse(Body);
              seen.set(event.detail.status, event);
            }
            return [...seen.keys()];
          },
          { timeout: 120_000 },
        )
        .toEqual(expect.arrayContaining(['SUBMITTED', 'RUNNABLE', 'STARTING', 'RUNNING', 'SUCCEEDED']));
      expect(seen.get('SUCCEEDED')).toMatchObject({
        resources: [expect.stringContaining(id)],
        detail: { jobId: id, container: { exitCode: 0 } },
      });
      await events.send(new RemoveTargetsCommand({ Rule: name, Ids: ['queue'] }));
      await events.send(new DeleteRuleCommand({ Name: name }));
      await sqs.send(new DeleteQueueCommand({ QueueUrl }));
    });
  },
);
