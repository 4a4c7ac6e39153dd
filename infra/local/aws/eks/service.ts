/**
 * The stand-in for Amazon EKS over its restJson protocol: DescribeCluster for clusters that are put in by
 * `POST clusters`, and DescribeClusterVersions. What runs on a cluster is the Kubernetes stand-in's business.
 *
 * @module
 */
import type { Kit } from '../../kit/front-door.ts';
import { jsonError } from '../../kit/json-protocol.ts';
import { AwsError, type AwsRequest, type AwsService } from '../../kit/service.ts';
import { TokenBucket } from '../../kit/token-bucket.ts';
import type { Place } from '../ports.ts';
import { ClusterStore } from './clusters.ts';
import { describeClusterVersions } from './versions.ts';

type Json = Record<string, unknown>;

/** AWS publishes no rate: this one is ours. */
const RATE = { perSecond: 10, burst: 50 };

export function createEks(options: { kit: Kit; place: Place; directory: string }): { service: AwsService } {
  const { kit } = options;
  const store = new ClusterStore(options);
  const rate = new TokenBucket(kit.clock, RATE);
  kit.actions.set('POST clusters', (input) => ({ name: store.put(input).name }));
  return {
    service: {
      names: ['eks'],
      async prepare(request) {
        const { operation, subject, run } = operationOf(request, store, kit);
        return {
          operation,
          subject,
          async run() {
            if (!rate.take()) throw new AwsError('ThrottlingException', 'Rate exceeded', 429);
            return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(run()) };
          },
        };
      },
      renderError: (error) => jsonError(error),
      async close() {
        store.close();
      },
    },
  };
}

function operationOf(
  { method, path, query }: AwsRequest,
  store: ClusterStore,
  { clock }: Kit,
): { operation: string; subject: string; run(): Json } {
  const [, name] = /^\/clusters\/([^/]+)$/.exec(path) ?? [];
  if (method === 'GET' && name !== undefined) {
    const subject = decodeURIComponent(name);
    return { operation: 'DescribeCluster', subject, run: () => ({ cluster: existing(store, subject) }) };
  }
  if (method === 'GET' && path === '/cluster-versions') {
    return { operation: 'DescribeClusterVersions', subject: '', run: () => describeClusterVersions(clock, query) };
  }
  throw new AwsError('UnknownOperationException', `unknown operation: ${method} ${path}`, 404);
}

function existing(store: ClusterStore, name: string): Json {
  const cluster = store.find(name);
  if (!cluster) throw new AwsError('ResourceNotFoundException', `No cluster found for name: ${name}.`, 404);
  return cluster;
}
