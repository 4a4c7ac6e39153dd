/**
 * The same activities as in the product, over clients that answer at once from memory: what is left is Temporal and
 * our own code. The baseline of the launch bench.
 *
 * @module
 */
import { GetObjectCommand, ListObjectsV2Command, NoSuchKey, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { ComputeService, JobView } from '../../activities/launch/compute/service.ts';
import type { LaunchDependencies } from '../../activities/launch/dependencies.ts';
import type { ManifestRow } from '../../workflows/launch/manifest.ts';
import { parseSubmission } from '../../workflows/launch/model.ts';

export interface NoOpWorld extends LaunchDependencies {
  /** Called when a job is submitted, with the time. */
  onSubmit(job: { id: string; workflowId: string; step: string; at: number }): void;
  /** Ends a job: its items are committed. */
  commit(jobId: string): void;
  put(key: string, body: string): void;
}

export function createNoOpWorld(bucket: string): NoOpWorld {
  const objects = new Map<string, string>();
  const manifests = new Map<string, string>();
  const ended = new Set<string>();
  const s3 = {
    async send(command: unknown) {
      if (command instanceof PutObjectCommand) {
        objects.set(command.input.Key ?? '', String(command.input.Body));
        return { ETag: '"e"' };
      }
      if (command instanceof GetObjectCommand) {
        const body = objects.get(command.input.Key ?? '');
        if (body === undefined) throw new NoSuchKey({ message: 'none', $metadata: { httpStatusCode: 404 } });
        return { ETag: '"e"', Body: { transformToByteArray: async () => Buffer.from(body) } };
      }
      if (command instanceof ListObjectsV2Command) {
        const prefix = command.input.Prefix ?? '';
        return { Contents: [...objects.keys()].filter((key) => key.startsWith(prefix)).map((Key) => ({ Key })) };
      }
      throw new Error(`the baseline does not know ${(command as object).constructor.name}`);
    },
  } as unknown as S3Client;
  const view = (id: string): JobView => ({
    id,
    status: ended.has(id) ? 'SUCCEEDED' : 'RUNNING',
    attempts: 1,
    containers: [],
  });
  const compute: ComputeService = {
    name: 'batch',
    logGroup: 'none',
    describeLimit: 100,
    async submit(request) {
      const at = performance.timeOrigin + performance.now();
      const id = `job-${request.name}`;
      const submission = parseSubmission(request.contract.LONGHAUL_SUBMISSION ?? '');
      manifests.set(id, request.contract.LONGHAUL_MANIFEST ?? '');
      world.onSubmit({ id, workflowId: submission?.workflowId ?? '', step: submission?.step ?? '', at });
      return { id, name: request.name, queue: 'q', account: '1', region: 'r', logGroup: 'none' };
    },
    describe: async (ids) => ids.map(view),
    async *failedChildren() {},
    whyNotPlaced: async () => undefined,
    async terminate() {},
    lastLogLines: async () => [],
  };
  const nothing = {
    submitted: async () => {},
    ended: async () => {},
    ofLaunch: async () => [],
    get: async () => undefined,
  };
  const launches = {
    register: async (item: unknown) => ({ outcome: 'new', item }),
    recordStatus: async () => true,
    describe: async () => {},
    get: async () => undefined,
  };
  const world = {
    s3,
    steps: nothing,
    launches,
    compute: new Map([['batch', compute]]),
    settings: { bucket, computeService: 'batch' },
    wakePoller: async () => {},
    onSubmit: () => {},
    commit(jobId: string) {
      const manifest = objects.get((manifests.get(jobId) ?? '').slice(`s3://${bucket}/`.length)) ?? '';
      for (const line of manifest.trim().split('\n')) {
        const row = JSON.parse(line) as ManifestRow;
        objects.set(row.commit.slice(`s3://${bucket}/`.length), JSON.stringify({ outputs: {} }));
      }
      ended.add(jobId);
    },
    put: (key: string, body: string) => void objects.set(key, body),
  } as unknown as NoOpWorld;
  return world;
}
