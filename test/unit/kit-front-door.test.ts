import { Agent, request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { FaultRule } from '../../infra/local/kit/faults.ts';
import { createKit, type FrontDoor, type Kit, openFrontDoor } from '../../infra/local/kit/front-door.ts';
import { jsonError } from '../../infra/local/kit/json-protocol.ts';
import { AwsError, type AwsService } from '../../infra/local/kit/service.ts';

let kit: Kit;
let door: FrontDoor;
/** Keys that were written, in order: the effects. */
let effects: string[];

/** PUT /<key> is the operation Put, with an effect; the key says how it ends. */
const service: AwsService = {
  names: ['s3', 's3control', 'batch', 'sqs', 'events', 'logs', 'dynamodb'],
  async prepare(request) {
    const key = request.path.slice(1);
    return {
      operation: 'Put',
      subject: key,
      async run() {
        if (key === 'refused') throw new AwsError('Refused', 'no', 409);
        if (key === 'broken') throw new TypeError('a bug');
        if (key === 'large') await request.bytes(1000);
        effects.push(key);
        return { status: 200, body: 'done' };
      },
    };
  },
  renderError: (error) => jsonError(error),
};

const signature = (service: string, principal: string) =>
  `AWS4-HMAC-SHA256 Credential=${principal}/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0`;
const put = (key: string, { service = 's3', principal = 'AKIAWORKER' } = {}) =>
  fetch(`${door.url}/${key}`, {
    method: 'PUT',
    headers: { authorization: signature(service, principal) },
  });
const outcome = (promise: Promise<Response>) =>
  promise.then(
    (response) => response.status,
    () => 'no answer',
  );
const steer = (method: string, topic: string, body?: string, type = 'application/json') =>
  fetch(`${door.url}/_longhaul/${topic}`, {
    method,
    ...(body !== undefined && { body, headers: { 'content-type': type } }),
  });

beforeEach(async () => {
  kit = createKit();
  effects = [];
  door = await openFrontDoor(kit, [service]);
});

afterEach(async () => {
  vi.restoreAllMocks();
  await door.close();
});

describe('a fault', () => {
  it.each<[string, FaultRule['effect'], number | 'no answer']>([
    ['throttling', 'throttle', 503],
    ['an error', 'error', 500],
    ['a reset', 'reset', 'no answer'],
  ])('%s comes before the effect or after it, and hits once', async (_, effect, seen) => {
    kit.faults.set([
      { effect, subject: 'before' },
      { effect, subject: 'after', when: 'after' },
    ]);

    const outcomes = [];
    for (const key of ['before', 'before', 'after', 'after']) outcomes.push(await outcome(put(key)));

    expect(outcomes).toEqual([seen, 200, seen, 200]);
    expect(effects).toEqual(['before', 'after', 'after']);
  });

  it('that delays does so before the effect or after it, and the answer comes', async () => {
    for (const when of ['before', 'after'] as const) {
      kit.faults.set([{ effect: 'delay', delayMs: 150, when }]);
      const begun = performance.now();
      const answer = put(when);
      await vi.waitFor(() => expect(effects).toContain(when), { interval: 5 });
      const effectAt = performance.now() - begun;

      expect((await answer).status).toBe(200);
      const answerAt = performance.now() - begun;
      expect(answerAt).toBeGreaterThanOrEqual(145);
      if (when === 'before') expect(effectAt).toBeGreaterThanOrEqual(145);
      else expect(answerAt - effectAt).toBeGreaterThan(20);
    }
    expect(effects).toEqual(['before', 'after']);
  });

  it('that hangs does so at every try of that call, and at no other, until the plan is another', async () => {
    kit.faults.set([{ effect: 'hang' }]);
    const tried = async (invocation: string) => {
      const headers = { authorization: signature('s3', 'A'), 'amz-sdk-invocation-id': invocation };
      const signal = AbortSignal.timeout(300);
      return outcome(fetch(`${door.url}/x`, { method: 'PUT', headers, signal }));
    };

    expect([await tried('one'), await tried('two'), await tried('one')]).toEqual(['no answer', 200, 'no answer']);
    expect(kit.faults.hits()).toEqual([1]);
    kit.faults.set([]);
    expect(await tried('one')).toBe(200);
  });

  it('after the effect also hides a refusal', async () => {
    kit.faults.set([{ effect: 'reset', when: 'after' }]);

    expect([await outcome(put('refused')), await outcome(put('refused'))]).toEqual(['no answer', 409]);
  });

  it('carries the status and code it was given', async () => {
    kit.faults.set([{ effect: 'error', status: 409, code: 'Conflict' }]);

    const answer = await put('x');

    expect([answer.status, answer.headers.get('x-amzn-errortype')]).toEqual([409, 'Conflict']);
  });

  it.each([
    ['s3', 503, 'SlowDown'],
    ['s3control', 400, 'TooManyRequestsException'],
    ['batch', 429, 'TooManyRequestsException'],
    ['sqs', 403, 'RequestThrottled'],
    ['events', 400, 'ThrottlingException'],
    ['logs', 400, 'ThrottlingException'],
    ['dynamodb', 400, 'ThrottlingException'],
  ])('that throttles %s says %i %s', async (service, status, code) => {
    kit.faults.set([{ effect: 'throttle', service }]);

    const answer = await put('x', { service });

    expect([answer.status, answer.headers.get('x-amzn-errortype')]).toEqual([status, code]);
  });
});

describe('a service with words of its own', () => {
  it('throttles by them, and has its own request id', async () => {
    const own: AwsService = {
      ...service,
      names: ['own'],
      throttled: () => new AwsError('rate_limit_exceeded', 'later', 429),
      renderError: (error) => ({ status: error.status, headers: { 'x-request-id': 'req_1' }, body: error.code }),
    };
    const other = await openFrontDoor(kit, [own]);
    onTestFinished(() => other.close());
    kit.faults.set([{ effect: 'throttle' }]);

    const answer = await fetch(`${other.url}/x`, {
      headers: { authorization: 'AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/own/aws4_request' },
    });

    expect([answer.status, await answer.text()]).toEqual([429, 'rate_limit_exceeded']);
    expect([answer.headers.get('x-request-id'), answer.headers.get('x-amzn-requestid')]).toEqual(['req_1', null]);
  });
});

describe('a service that signs as another', () => {
  it('gets the requests with its header, and no others', async () => {
    const named = (name: string): AwsService => ({
      ...service,
      names: [name],
      prepare: async () => ({ operation: name, subject: '', run: async () => ({ status: 200, body: name }) }),
      ...(name === 'other' && { signedAs: { name: 's3', header: 'x-other' } }),
    });
    const two = await openFrontDoor(kit, [named('s3'), named('other')]);
    onTestFinished(() => two.close());
    const authorization =
      'AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0';
    const ask = async (headers: Record<string, string>) => (await fetch(two.url, { headers })).text();

    expect(await ask({ authorization })).toBe('s3');
    expect(await ask({ authorization, 'x-other': '1' })).toBe('other');
    expect(await ask({ authorization: authorization.replace('/s3/', '/other/'), 'x-other': '1' })).toBe('other');
    expect(await ask({ 'x-other': '1' })).toContain('Missing Authentication Token');
    expect(kit.calls.list().map((call) => call.service)).toEqual(['s3', 'other', 'other']);
  });
});

describe('the call log', () => {
  it('says who called what, and how it ended, also when nobody heard of it', async () => {
    kit.faults.set([
      { effect: 'reset', subject: 'cut', when: 'after' },
      { effect: 'throttle', subject: 'slow' },
    ]);

    await put('fine');
    await put('fine', { service: 'batch', principal: 'job' });
    await put('refused');
    await put('slow', { service: 'sqs' });
    await outcome(put('cut'));

    expect(kit.calls.list()).toMatchObject([
      { seq: 1, service: 's3', principal: 'AKIAWORKER', operation: 'Put', subject: 'fine', status: 200, error: '' },
      { seq: 2, service: 'batch', principal: 'job', operation: 'Put', subject: 'fine', status: 200, error: '' },
      {
        seq: 3,
        service: 's3',
        principal: 'AKIAWORKER',
        operation: 'Put',
        subject: 'refused',
        status: 409,
        error: 'Refused',
      },
      {
        seq: 4,
        service: 'sqs',
        principal: 'AKIAWORKER',
        operation: 'Put',
        subject: 'slow',
        status: 403,
        error: 'RequestThrottled',
      },
      { seq: 5, service: 's3', principal: 'AKIAWORKER', operation: 'Put', subject: 'cut', status: 0, error: 'reset' },
    ]);
  });

  it('takes the caller of a presigned URL from its query', async () => {
    const credential = encodeURIComponent('AKIASIGNED/20260101/us-east-1/s3/aws4_request');

    await fetch(`${door.url}/x?X-Amz-Credential=${credential}`);

    expect(kit.calls.list()).toMatchObject([{ service: 's3', principal: 'AKIASIGNED' }]);
  });

  it('is told by the clock of the stand-ins, and read from a call on, by service and operation', async () => {
    kit.clock.advance(3_600_000);
    await put('one');
    await put('two', { service: 'batch' });
    await put('three');
    const calls = async (query: string) => {
      const { calls, lastSeq } = (await (await steer('GET', `calls${query}`)).json()) as {
        calls: { subject: string; at: string }[];
        lastSeq: number;
      };
      return { subjects: calls.map(({ subject }) => subject), lastSeq, at: calls[0]?.at };
    };

    const all = await calls('');

    expect(all).toMatchObject({ subjects: ['one', 'two', 'three'], lastSeq: 3 });
    expect(Date.parse(all.at ?? '')).toBeGreaterThan(Date.now() + 3_500_000);
    expect((await calls('?after=1')).subjects).toEqual(['two', 'three']);
    expect((await calls('?service=s3&after=1')).subjects).toEqual(['three']);
    expect((await calls('?operation=Get')).subjects).toEqual([]);
  });
});

describe('a request', () => {
  it('without a signature, or for a service nobody stands in for, is refused', async () => {
    const unsigned = await fetch(`${door.url}/x`, { method: 'PUT' });
    const strange = await put('x', { service: 'braket' });

    expect([unsigned.status, strange.status, effects]).toEqual([403, 501, []]);
  });

  it('on which a stand-in breaks is answered with 500, and the next one as ever', async () => {
    const said = vi.spyOn(console, 'error').mockImplementation(() => {});

    const broken = await put('broken');

    expect([broken.status, broken.headers.get('x-amzn-errortype')]).toEqual([500, 'InternalFailure']);
    expect(said).toHaveBeenCalledOnce();
    expect((await put('fine')).status).toBe(200);
  });
});

describe('a request that is too large', () => {
  it('is refused, and those after it on the same connection are answered', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const send = (key: string, bytes: number) =>
      new Promise<number>((resolve, reject) => {
        const headers = { authorization: 'AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/s3/aws4_request' };
        const asked = request(`${door.url}/${key}`, { method: 'PUT', agent, headers }, (answer) => {
          answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
        });
        asked.once('error', reject).end(Buffer.alloc(bytes));
      });

    const statuses = [await send('large', 8_000_000), await send('large', 10), await send('x', 0)];

    expect(statuses).toEqual([413, 200, 200]);
  });
});

describe('the stand-ins are steered', () => {
  it('by a fault plan and the clock', async () => {
    const rules: FaultRule[] = [{ effect: 'error', status: 418 }];

    const set = await steer('PUT', 'faults', JSON.stringify(rules));
    const hit = await outcome(put('x'));
    const moved = await steer('POST', 'clock', '{"advanceMs":86400000}', 'application/json; charset=utf-8');

    expect([set.status, hit, moved.status]).toEqual([200, 418, 200]);
    const { now } = (await moved.json()) as { now: string };
    expect(Date.parse(now)).toBeGreaterThan(Date.now() + 86_000_000);
  });

  it('by what a stand-in itself offers', async () => {
    kit.actions.set('POST lose', ({ id }) => ({ lost: id }));

    const answer = await steer('POST', 'lose', '{"id":"i-1"}');

    expect([answer.status, await answer.json()]).toEqual([200, { lost: 'i-1' }]);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data'])(
    'but not by what a web page may send unasked: %s',
    async (type) => {
      const answer = await steer('PUT', 'faults', '[{"effect":"reset"}]', type);

      expect([answer.status, await outcome(put('x'))]).toEqual([415, 200]);
    },
  );

  it.each([
    ['PUT', 'faults', '{'],
    ['POST', 'clock', '{"advanceMs":-1}'],
    ['POST', 'clock', '{}'],
  ])('and not by what makes no sense: %s %s %s', async (method, topic, body) => {
    const answer = await steer(method, topic, body);

    expect(answer.status).toBe(400);
    expect(Math.abs(kit.clock.now() - Date.now())).toBeLessThan(1000);
  });

  it('and an unknown topic is answered with those there are', async () => {
    kit.actions.set('GET instances', () => []);

    const answer = await steer('GET', 'nothing');

    expect(answer.status).toBe(404);
    expect(await answer.json()).toEqual({
      message:
        'unknown: GET nothing; there are GET health, GET calls, GET faults, PUT faults, POST clock, GET instances',
    });
  });
});
