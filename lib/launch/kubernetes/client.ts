/**
 * The connection to the API server by the official client: loaded at the first call, since it is large and most workers
 * never need it.
 *
 * @module
 */
import type { ApiException, BatchV1Api, CoreV1Api, KubeConfig } from '@kubernetes/client-node';

export interface Kubernetes {
  batch: BatchV1Api;
  core: CoreV1Api;
  /** Options of a call that merges its body into an object. */
  merging: Parameters<BatchV1Api['patchNamespacedJob']>[1];
}

/** The client waits for ever by default; a connection that hangs must end before the activity it is in does (20 s). */
const PATIENCE_MS = 15_000;

/**
 * By kubeconfig (KUBECONFIG, `~/.kube/config`; `aws eks get-token` works as its exec plug-in) or inside a cluster.
 * @param context of the kubeconfig; empty: the current one
 * @param given instead of the kubeconfig that is found
 * @throws Error when the kubeconfig has no such context
 */
export async function connectKubernetes(context: string, given?: KubeConfig): Promise<Kubernetes> {
  const client = await import('@kubernetes/client-node');
  const config = given ?? new client.KubeConfig();
  if (!given) config.loadFromDefault();
  if (context !== '') config.setCurrentContext(context);
  const cluster = config.getCurrentCluster();
  if (!cluster) {
    const known = config.getContexts().map(({ name }) => name);
    throw new Error(`eksContext: the kubeconfig has no context ${context || '(current)'}; it has: ${known.join(', ')}`);
  }
  const configuration = client.createConfiguration({
    baseServer: new client.ServerConfiguration(cluster.server, {}),
    authMethods: { default: config },
    promiseMiddleware: [
      {
        pre: async (request) => {
          request.setSignal(AbortSignal.timeout(PATIENCE_MS));
          return request;
        },
        post: async (answer) => answer,
      },
    ],
  });
  return {
    batch: new client.BatchV1Api(configuration),
    core: new client.CoreV1Api(configuration),
    merging: client.setHeaderOptions('Content-Type', client.PatchStrategy.MergePatch, {
      middlewareMergeStrategy: 'append',
    }),
  };
}

/** The HTTP status of an answer that is an error; undefined for everything else. */
export const codeOf = (error: unknown): number | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined;

/** What the API server says of it: the message of its Status object. */
export function messageOf(error: unknown): string {
  const { body } = error as ApiException<unknown>;
  const status: unknown = typeof body === 'string' ? parse(body) : body;
  const { message } = (status ?? {}) as { message?: unknown };
  if (typeof message === 'string') return message;
  return error instanceof Error ? error.message : String(error);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
