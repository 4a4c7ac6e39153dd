/**
 * The front door: one server of HTTP/1.1 and HTTP/2 on loopback that stands behind `AWS_ENDPOINT_URL`. It tells the
 * service from the credential scope of the signature (SigV4: `Credential=<key>/<date>/<region>/<service>/aws4_request`),
 * keeps the call log, applies the fault plan, and hands the request on. The stand-in for OpenAI has one of its own.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { CallLog } from './calls.ts';
import { Clock } from './clock.ts';
import { FaultPlan, type FaultRule } from './faults.ts';
import { acceptHttp2 } from './http2.ts';
import { jsonError } from './json-protocol.ts';
import { AwsError, type AwsRequest, type AwsResponse, type AwsService, type PreparedCall } from './service.ts';

/** What the stand-ins share. */
export interface Kit {
  clock: Clock;
  calls: CallLog;
  faults: FaultPlan;
  /** What else can be asked of a stand-in at `/_longhaul/`: `POST lose-instance` by its body, `GET mailbox` by its query. */
  actions: Map<string, (input: Record<string, unknown>) => unknown>;
}

export function createKit(): Kit {
  return { clock: new Clock(), calls: new CallLog(), faults: new FaultPlan(), actions: new Map() };
}

export interface FrontDoor {
  /** `http://127.0.0.1:<port>`: an IP address makes the SDKs address buckets by path. */
  url: string;
  port: number;
  /** Ends open connections and closes every service. */
  close(): Promise<void>;
}

/**
 * Listens on loopback.
 * @param port 0 chooses a free one
 * @throws EADDRINUSE as Node throws it
 */
export async function openFrontDoor(kit: Kit, services: readonly AwsService[], port = 0): Promise<FrontDoor> {
  const byName = new Map(services.flatMap((service) => service.names.map((name) => [name, service] as const)));
  const listener: RequestListener = (incoming, outgoing) => {
    answer(kit, byName, incoming, outgoing).catch(() => outgoing.destroy());
  };
  const server = createServer(listener);
  const endHttp2 = acceptHttp2(server, listener);
  server.keepAliveTimeout = 65_000;
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => {});
    if (!services.some((service) => service.upgrade?.(request, socket, head))) socket.destroy();
  });
  await listen(server, port);
  const bound = (server.address() as AddressInfo).port;
  return {
    port: bound,
    url: `http://127.0.0.1:${bound}`,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      endHttp2();
      await closed;
      for (const service of services) await service.close?.();
    },
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function answer(
  kit: Kit,
  services: ReadonlyMap<string, AwsService>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const target = splitTarget(incoming.url ?? '/');
  if (target.path.startsWith('/_longhaul/')) return administer(kit, target, incoming, outgoing);
  const scope = signedScope(services, incoming, target) ?? unsignedScope(services, target);
  const service = scope && services.get(scope.service);
  if (!scope || !service) {
    const error = scope
      ? new AwsError('UnknownService', `no stand-in answers for the service ${scope.service}`, 501)
      : new AwsError('MissingAuthenticationTokenException', 'Missing Authentication Token', 403);
    incoming.resume();
    return send(outgoing, jsonError(error));
  }
  const request = toRequest(incoming, outgoing, target, scope);
  const record = { at: kit.clock.date().toISOString(), service: scope.service, principal: scope.accessKeyId };
  let call: PreparedCall = { operation: 'Unknown', subject: '', run: async () => ({ status: 500 }) };
  let response: AwsResponse;
  let code = '';
  try {
    call = await service.prepare(request);
    const fault = kit.faults.take({
      service: scope.service,
      operation: call.operation,
      subject: call.subject,
      invocation: String(incoming.headers['amz-sdk-invocation-id'] ?? ''),
    });
    const late = fault?.when === 'after' && fault.effect === 'delay';
    if (fault?.effect === 'delay' && !late) await delay(fault.delayMs);
    if (fault?.when === 'after' && !late) await runUnheard(call);
    if (fault?.effect === 'reset' || fault?.effect === 'hang') {
      kit.calls.add({ ...record, operation: call.operation, subject: call.subject, status: 0, error: fault.effect });
      // Until the caller gives up, or is gone.
      if (fault.effect === 'hang' && !incoming.socket.destroyed) await once(incoming.socket, 'close');
      incoming.socket.destroy();
      return;
    }
    if (fault?.effect === 'throttle') throw service.throttled?.() ?? throttled(scope.service);
    if (fault?.effect === 'error') throw new AwsError(fault.code, 'injected by the fault plan', fault.status);
    response = await call.run();
    if (late) await delay(fault.delayMs);
  } catch (thrown) {
    const error = thrown instanceof AwsError ? thrown : unexpected(thrown, call.operation);
    code = error.code;
    response = service.renderError(error, request);
  }
  kit.calls.add({ ...record, operation: call.operation, subject: call.subject, status: response.status, error: code });
  // A body nobody read would keep the connection half-used.
  if (!incoming.readableEnded) incoming.resume();
  await send(outgoing, response);
}

/** The work is done, or refused as it would be; either way nobody hears of it. */
async function runUnheard(call: PreparedCall): Promise<void> {
  try {
    const { body } = await call.run();
    if (body instanceof Readable) body.destroy();
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
  }
}

/** Throttling looks different per service; the SDKs' retry strategies know these codes. */
function throttled(service: string): AwsError {
  if (service === 's3') return new AwsError('SlowDown', 'Please reduce your request rate.', 503);
  if (service === 'batch') return new AwsError('TooManyRequestsException', 'Too Many Requests', 429);
  if (service === 's3control') return new AwsError('TooManyRequestsException', 'Too Many Requests');
  if (service === 'sqs') return new AwsError('RequestThrottled', 'Request is throttled.', 403);
  if (service === 'ec2') return new AwsError('RequestLimitExceeded', 'Request limit exceeded.', 503);
  if (service === 'execute-api') return new AwsError('LimitExceededException', 'Rate exceeded', 429);
  if (service === 'registry') return new AwsError('TOOMANYREQUESTS', 'too many requests', 429);
  return new AwsError('ThrottlingException', 'Rate exceeded');
}

function unexpected(thrown: unknown, operation: string): AwsError {
  console.error(`stand-in: ${operation} failed`, thrown);
  return new AwsError('InternalFailure', `the stand-in failed in ${operation}`, 500);
}

/** Path as sent and query. Not `new URL`: it would fold `..` and take `//x` for a host, both legal in S3 keys. */
interface Target {
  path: string;
  query: URLSearchParams;
}

function splitTarget(target: string): Target {
  const mark = target.indexOf('?');
  return mark < 0
    ? { path: target, query: new URLSearchParams() }
    : { path: target.slice(0, mark), query: new URLSearchParams(target.slice(mark + 1)) };
}

interface Scope {
  accessKeyId: string;
  region: string;
  service: string;
}

function credentialScope(incoming: IncomingMessage, target: Target): Scope | undefined {
  const header = incoming.headers.authorization ?? '';
  const credential =
    /^AWS4-HMAC-SHA256 .*?Credential=([^,\s]+)/.exec(header)?.[1] ?? target.query.get('X-Amz-Credential');
  const parts = credential?.split('/');
  if (!parts || parts.length < 5) return undefined;
  const [accessKeyId = '', , region = '', service = ''] = parts.slice(-5);
  return { accessKeyId, region, service };
}

/** What signs as another service is told apart by a header only its requests have. */
function signedScope(
  services: ReadonlyMap<string, AwsService>,
  incoming: IncomingMessage,
  target: Target,
): Scope | undefined {
  const scope = credentialScope(incoming, target);
  if (!scope) return undefined;
  for (const [service, { signedAs }] of services) {
    if (signedAs?.name === scope.service && signedAs.header in incoming.headers) return { ...scope, service };
  }
  return scope;
}

/** Not everything behind the door is AWS: a service may take requests without a signature by their path. */
function unsignedScope(services: ReadonlyMap<string, AwsService>, target: Target): Scope | undefined {
  for (const [service, { unsigned }] of services) {
    if (unsigned?.test(target.path)) return { accessKeyId: 'anonymous', region: '', service };
  }
  return undefined;
}

function toRequest(incoming: IncomingMessage, outgoing: ServerResponse, target: Target, scope: Scope): AwsRequest {
  const gone = new AbortController();
  outgoing.once('close', () => {
    if (!outgoing.writableFinished) gone.abort();
  });
  return {
    method: incoming.method ?? 'GET',
    path: target.path,
    query: target.query,
    headers: incoming.headers,
    region: scope.region,
    accessKeyId: scope.accessKeyId,
    gone: gone.signal,
    body: incoming,
    async bytes(limit = 16 * 1024 * 1024) {
      const chunks: Buffer[] = [];
      let size = 0;
      // What is too large is read to its end all the same: its rest would stand in the way of the next request.
      for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
        size += (chunk as Buffer).length;
        if (size > limit) throw new AwsError('RequestEntityTooLarge', `the request is larger than ${limit} bytes`, 413);
        chunks.push(chunk as Buffer);
      }
      return Buffer.concat(chunks);
    },
  };
}

const OWN_REQUEST_IDS = ['x-amz-request-id', 'x-request-id'];

async function send(outgoing: ServerResponse, response: AwsResponse): Promise<void> {
  // S3 and OpenAI have request ids of their own form.
  const own = OWN_REQUEST_IDS.some((name) => response.headers?.[name] !== undefined);
  const id = own ? {} : { 'x-amzn-requestid': randomUUID() };
  outgoing.writeHead(response.status, { ...id, ...response.headers });
  if (response.body instanceof Readable) return pipeline(response.body, outgoing);
  outgoing.end(response.body);
}

/** `/_longhaul/{health,calls,faults,clock}`: how tests and people look in and steer. */
async function administer(
  kit: Kit,
  target: Target,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const text = await new Response(Readable.toWeb(incoming) as ReadableStream).text();
  const topic = `${incoming.method} ${target.path.slice('/_longhaul/'.length)}`;
  const json = (body: unknown, status = 200) =>
    send(outgoing, { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  // A web page may send a form to loopback, but not this type without asking first.
  const type = incoming.headers['content-type']?.split(';')[0];
  if (incoming.method !== 'GET' && type !== 'application/json') {
    return json({ message: 'send it as content-type: application/json' }, 415);
  }
  try {
    const answer = steer(kit, topic, target.query, text);
    if (answer !== undefined) return await json(answer);
  } catch (error) {
    return json({ message: (error as Error).message }, 400);
  }
  const known = ['GET health', 'GET calls', 'GET faults', 'PUT faults', 'POST clock', ...kit.actions.keys()];
  return json({ message: `unknown: ${topic}; there are ${known.join(', ')}` }, 404);
}

/** @returns undefined for a topic there is not */
function steer(kit: Kit, topic: string, query: URLSearchParams, text: string): unknown {
  if (topic === 'GET health') return { ok: true, now: kit.clock.date().toISOString() };
  if (topic === 'GET calls') {
    const filter: Parameters<CallLog['list']>[0] = { afterSeq: Number(query.get('after') ?? 0) };
    const service = query.get('service');
    const operation = query.get('operation');
    if (service) filter.service = service;
    if (operation) filter.operation = operation;
    return { lastSeq: kit.calls.lastSeq, calls: kit.calls.list(filter) };
  }
  if (topic === 'GET faults') return { hits: kit.faults.hits() };
  if (topic === 'PUT faults') {
    kit.faults.set(JSON.parse(text) as FaultRule[]);
    return { ok: true };
  }
  if (topic === 'POST clock') {
    kit.clock.advance((JSON.parse(text) as { advanceMs: number }).advanceMs);
    return { now: kit.clock.date().toISOString() };
  }
  const action = kit.actions.get(topic);
  if (topic.startsWith('GET ')) return action?.(Object.fromEntries(query));
  return action?.(text === '' ? {} : (JSON.parse(text) as Record<string, unknown>));
}
