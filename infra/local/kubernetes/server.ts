/**
 * A stand-in for a Kubernetes cluster: an API server on loopback by the real REST protocol, the Job controller, a scheduler,
 * and kubelets that run containers as local processes. In memory: it ends with who opened it, and its pods with it.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Launcher } from '../aws/batch/launcher.ts';
import { MemoryWatch } from '../aws/batch/memory-watch.ts';
import { CallLog } from '../kit/calls.ts';
import { Clock } from '../kit/clock.ts';
import { type Fault, FaultPlan } from '../kit/faults.ts';
import { Cluster } from './cluster.ts';
import { JobController } from './job-controller.ts';
import { Kubelet } from './kubelet.ts';
import { isTerminal } from './model.ts';
import { type NodeSize, Nodes } from './nodes.ts';
import { type ApiCall, route } from './operations.ts';
import { PodLogs } from './pod-logs.ts';
import { ApiError, badRequest, unauthorized } from './status.ts';

export interface KubernetesOptions {
  /** For the volumes and folders of pods. */
  directory: string;
  /** What container images are on this machine: docs/platform.md. */
  imagesFile: string | (() => string);
  namespaces?: readonly string[];
  nodes?: Partial<NodeSize>;
  /** Variables of every container, such as the address of the AWS endpoint. */
  environment?: Readonly<Record<string, string>>;
}

export interface Kubernetes {
  url: string;
  clock: Clock;
  calls: CallLog;
  faults: FaultPlan;
  /** For KUBECONFIG. */
  kubeconfig(): string;
  nodes(): string[];
  /** The node of a pod is gone from one moment to the next. */
  loseNode(name: string): boolean;
  /** Pods that have not ended. */
  openPods(): number;
  close(): Promise<void>;
}

const CONTEXT = 'longhaul-local';
const BODY_LIMIT = 3 * 2 ** 20;

export async function openKubernetes(options: KubernetesOptions): Promise<Kubernetes> {
  const { directory, imagesFile, namespaces = ['default', 'longhaul'] } = options;
  await mkdir(directory, { recursive: true });
  const clock = new Clock();
  const cluster = new Cluster(clock, namespaces);
  const logs = new PodLogs();
  const [calls, faults] = [new CallLog(), new FaultPlan()];
  const launcher = new Launcher();
  const token = randomBytes(24).toString('hex');
  const containers = {
    clock,
    logs,
    memory: new MemoryWatch(),
    launcher,
    get imagesFile() {
      return typeof imagesFile === 'string' ? imagesFile : imagesFile();
    },
    efsDirectory: join(directory, 'claims'),
    stopTimeoutMs: 30_000,
  };
  const given = () => ({
    ...options.environment,
    KUBERNETES_SERVICE_HOST: '127.0.0.1',
    KUBERNETES_SERVICE_PORT: String(port),
  });
  const kubelet: Kubelet = new Kubelet({ cluster, containers, directory, given }, logs, (node) => nodes.has(node));
  const size = { cpu: 16, memoryMiB: 32_768, count: 2, ...options.nodes };
  const nodes: Nodes = new Nodes(cluster, size, (pod) => kubelet.lose(pod));
  void new JobController(cluster);

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      console.error('a request could not be answered', error);
      response.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = clock.date().toISOString();
    const { pathname, searchParams } = new URL(request.url ?? '/', url);
    let call: ApiCall | undefined;
    let fault: Fault | undefined;
    let sent: { status: number; body: object | string };
    try {
      const body = await read(request);
      if (request.headers.authorization !== `Bearer ${token}`) throw unauthorized();
      call = route(cluster, logs, {
        method: request.method ?? 'GET',
        path: pathname,
        query: searchParams,
        body,
        contentType: (request.headers['content-type'] ?? '').split(';')[0] ?? '',
      });
      fault = faults.take({ service: 'kubernetes', ...call });
      if (fault?.effect === 'delay') await delay(fault.delayMs);
      sent = fault && fault.when === 'before' && fault.effect !== 'delay' ? faulty(fault) : call.run();
      if (fault?.when === 'after' && fault.effect !== 'delay') sent = faulty(fault);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      sent = { status: error.code, body: error.body() };
    }
    const cut = fault?.effect === 'reset';
    const reason = typeof sent.body === 'object' && 'reason' in sent.body ? String(sent.body.reason) : '';
    calls.add({
      at,
      service: 'kubernetes',
      operation: call?.operation ?? 'unknown',
      subject: call?.subject ?? '',
      status: cut ? 0 : sent.status,
      error: sent.status < 400 ? '' : reason,
      principal: '',
    });
    if (fault?.effect === 'hang') return;
    if (cut) return void request.socket.destroy();
    const text = typeof sent.body === 'string';
    response.writeHead(sent.status, { 'content-type': text ? 'text/plain' : 'application/json' });
    response.end(text ? sent.body : JSON.stringify(sent.body));
  }

  return {
    url,
    clock,
    calls,
    faults,
    nodes: () => nodes.names(),
    loseNode: (name) => nodes.lose(name),
    openPods: () => cluster.pods.all().filter((pod) => !isTerminal(pod)).length,
    kubeconfig: () =>
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': CONTEXT,
        clusters: [{ name: CONTEXT, cluster: { server: url, 'insecure-skip-tls-verify': true } }],
        users: [{ name: CONTEXT, user: { token } }],
        contexts: [{ name: CONTEXT, context: { cluster: CONTEXT, user: CONTEXT, namespace: 'longhaul' } }],
      }),
    async close() {
      cluster.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await kubelet.close();
      launcher.close();
      await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

function faulty({ effect, status, code }: Fault): { status: number; body: object } {
  const error =
    effect === 'throttle'
      ? new ApiError(429, 'TooManyRequests', 'too many requests, please try again later', { retryAfterSeconds: 1 })
      : new ApiError(status, code, `the fault plan says ${code}`);
  return { status: error.code, body: error.body() };
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_LIMIT) throw badRequest('the request is larger than 3 MiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
