/** Clients of the AWS SDK that take tokens: for which calls, how often, of which account. */
import { BatchClient, ListJobsCommand, SubmitJobCommand } from '@aws-sdk/client-batch';
import { CloudWatchLogsClient, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createKit, type FrontDoor, type Kit, openFrontDoor } from '../../infra/local/kit/front-door.ts';
import { jsonError } from '../../infra/local/kit/json-protocol.ts';
import { paced } from '../../lib/pacing/middleware.ts';
import type { Pacer } from '../../lib/pacing/pacer.ts';

let kit: Kit;
let door: FrontDoor;
let taken: string[];
let throttled: number[];
const pacer: Pacer = {
  take: async ({ key, ceiling }) => {
    taken.push(`${key} ${ceiling}`);
    return taken.length;
  },
  throttled: async (_, slice) => void throttled.push(slice),
};

beforeEach(async () => {
  kit = createKit();
  taken = [];
  throttled = [];
  door = await openFrontDoor(kit, [
    {
      names: ['batch', 'logs'],
      prepare: async ({ path }) => ({
        operation: path.split('/').at(-1) ?? '',
        subject: '',
        run: async () => ({ status: 200, headers: { 'content-type': 'application/json' }, body: '{"jobId": "j"}' }),
      }),
      renderError: (error) => jsonError(error),
    },
  ]);
});
afterEach(() => door.close());

const settings = (accountId?: string) => ({
  region: 'eu-west-1',
  endpoint: door.url,
  credentials: { accessKeyId: 'unit', secretAccessKey: 'unit', ...(accountId && { accountId }) },
});
const submit = new SubmitJobCommand({ jobName: 'one', jobQueue: 'queue', jobDefinition: 'definition' });
const SUBMIT = 'default/eu-west-1/batch:SubmitJob 40';

describe('a paced client', () => {
  it('takes a token for a paced operation, and none for another', async () => {
    const batch = paced(new BatchClient(settings()), pacer);

    await batch.send(submit);
    await batch.send(new ListJobsCommand({ jobQueue: 'queue' }));

    expect(taken).toEqual([SUBMIT]);
    expect(kit.calls.list()).toHaveLength(2);
  });

  it('takes one for every attempt, and tells of each that was throttled', async () => {
    kit.faults.set([{ service: 'batch', times: 1, effect: 'throttle' }]);
    const batch = paced(new BatchClient({ ...settings(), maxAttempts: 2 }), pacer);

    await batch.send(submit);

    expect(taken).toEqual([SUBMIT, SUBMIT]);
    expect(throttled).toEqual([1]);
  });

  it('does not take a server error for throttling', async () => {
    kit.faults.set([{ service: 'batch', times: 1, effect: 'error' }]);
    const batch = paced(new BatchClient({ ...settings(), maxAttempts: 1 }), pacer);

    await expect(batch.send(submit)).rejects.toMatchObject({ name: 'InternalFailure' });
    expect(throttled).toEqual([]);
  });

  it('knows the account of its credentials, and the quota of its Region', async () => {
    const logs = paced(new CloudWatchLogsClient(settings('123456789012')), pacer);

    await logs.send(new GetLogEventsCommand({ logGroupName: 'group', logStreamName: 'stream' }));

    expect(taken).toEqual(['123456789012/eu-west-1/logs:GetLogEvents 8']);
  });

  it('ends the wait of a call that is aborted, before anything is sent', async () => {
    const controller = new AbortController();
    const waiting: Pacer = {
      ...pacer,
      take: (_, signal) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
          controller.abort();
        }),
    };
    const batch = paced(new BatchClient(settings()), waiting);

    await expect(batch.send(submit, { abortSignal: controller.signal })).rejects.toMatchObject({ name: 'AbortError' });
    expect(kit.calls.list()).toEqual([]);
  });

  it('signs after the wait: a signature is good for five minutes only', () => {
    const names = paced(new BatchClient(settings()), pacer).middlewareStack.identify();
    const at = (name: string) => names.findIndex((one) => one.startsWith(name));

    expect(at('retryMiddleware')).toBeLessThan(at('pacingMiddleware'));
    expect(at('pacingMiddleware')).toBeLessThan(at('httpSigningMiddleware'));
  });
});
