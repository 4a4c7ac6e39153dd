/**
 * The product's own activities over clients that answer at once from memory: what is left is Temporal and our own code.
 * The baseline of the launch bench, and the ground for launches too wide for anything else.
 *
 * @module
 */
import { GetObjectCommand, ListObjectsV2Command, NoSuchKey, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { ComputeService, JobView } from '../../activities/launch/compute/service.ts';
import type { LaunchDependencies } from '../../activities/launch/dependencies.ts';
import { createLaunchActivities, type LaunchActivities } from '../../activities/launch/index.ts';
import type { ManifestRow } from '../../workflows/launch/manifest.ts';
import { parseSubmission } from '../../workflows/launch/model.ts';

export interface NoOpJob {
  id: string;
  workflowId: string;
  step: string;
  generation: number;
  shard: number;
  items: number;
  /** When it was submitted, milliseconds since the epoch with fractions. */
  at: number;
}

export interface NoOpWorld extends LaunchDependencies {
  onSubmit(job: NoOpJob): void;
  /** Ends a job: its items are committed, but for those children `failing` says fail with exit code 9. */
  commit(jobId: string, failing?: (child: number) => boolean): void;
  /** How often each operation was called. */
  calls: Map<string, number>;
  put(key: string, body: string): void;
}

const COMMITTED = JSON.stringify({ outputs: {} });
/** All but preflight, which has no part in what is measured and would need AWS. */
export const noOpActivities = (world: NoOpWorld): LaunchActivities => ({
  ...createLaunchActivities(world),
  preflightLaunch: async () => ({ findings: [], digests: {} }),
});

/** S3's own. */
const PAGE = 1_000;
const FAILED = 9;

export function createNoOpWorld(bucket: string): NoOpWorld {
  const objects = new Map<string, string>();
  const manifests = new Map<string, string>();
  const ended = new Map<string, number[]>();
  const calls = new Map<string, number>();
  const called = (name: string) => calls.set(name, (calls.get(name) ?? 0) + 1);
  const listings = new Map<string, string[]>();
  const s3 = {
    async send(command: unknown) {
      called((command as object).constructor.name);
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
        const { Prefix = '', ContinuationToken: token = '' } = command.input;
        const [id = '', from = '0'] = token.split('|');
        const keys = listings.get(id) ?? [...objects.keys()].filter((key) => key.startsWith(Prefix)).sort();
        const first = Number(from);
        const next = first + PAGE < keys.length ? `${id || Prefix}|${first + PAGE}` : undefined;
        if (next) listings.set(id || Prefix, keys);
        else listings.delete(id || Prefix);
        const Contents = keys.slice(first, first + PAGE).map((Key) => ({ Key }));
        return { Contents, ...(next && { NextContinuationToken: next }) };
      }
      throw new Error(`the baseline does not know ${(command as object).constructor.name}`);
    },
  } as unknown as S3Client;
  const view = (id: string): JobView => ({
    id,
    status: !ended.has(id) ? 'RUNNING' : ended.get(id)?.length ? 'FAILED' : 'SUCCEEDED',
    attempts: 1,
    containers: [],
  });
  const compute: ComputeService = {
    name: 'batch',
    logGroup: 'none',
    describeLimit: 100,
    async submit(request) {
      const at = performance.timeOrigin + performance.now();
      called('SubmitJob');
      const id = `job-${request.name}`;
      const submission = parseSubmission(request.contract.LONGHAUL_SUBMISSION ?? '');
      manifests.set(id, request.contract.LONGHAUL_MANIFEST ?? '');
      if (!submission) throw new Error('a job without a submission key');
      world.onSubmit({ id, ...submission, items: request.items, at });
      return { id, name: request.name, queue: 'q', account: '1', region: 'r', logGroup: 'none' };
    },
    async describe(ids) {
      called('DescribeJobs');
      return ids.map(view);
    },
    async *failedChildren(id) {
      called('ListJobs');
      const children = ended.get(id) ?? [];
      for (let first = 0; first < children.length; first += 100) {
        called('DescribeJobs');
        yield children.slice(first, first + 100).map(
          (child): JobView => ({
            id: `${id}:${child}`,
            status: 'FAILED',
            attempts: 1,
            containers: [{ name: 'main', exitCode: FAILED }],
          }),
        );
      }
    },
    whyNotPlaced: async () => undefined,
    async terminate() {},
    lastLogLines: async () => [],
  };
  const steps = {
    submitted: async () => {},
    reviewed: async () => {},
    ended: async () => {},
    ofLaunch: async () => [],
  };
  const launches = {
    register: async (item: unknown) => ({ outcome: 'new', item }),
    recordStatus: async () => true,
    describe: async () => {},
    get: async () => undefined,
  };
  const world = {
    s3,
    steps,
    calls,
    launches,
    compute: new Map([['batch', compute]]),
    budgets: { has: async () => false, of: async () => undefined },
    preflight: { settings: { bucket } },
    settings: { bucket, computeService: 'batch' },
    report: async () => {},
    wakePoller: async () => {},
    onSubmit: () => {},
    commit(jobId: string, failing: (child: number) => boolean = () => false) {
      const manifest = objects.get((manifests.get(jobId) ?? '').slice(`s3://${bucket}/`.length)) ?? '';
      const failed: number[] = [];
      for (const [child, line] of manifest.trimEnd().split('\n').entries()) {
        const row = JSON.parse(line) as ManifestRow;
        if (failing(child)) failed.push(child);
        else objects.set(row.commit.slice(`s3://${bucket}/`.length), COMMITTED);
      }
      ended.set(jobId, failed);
    },
    put: (key: string, body: string) => void objects.set(key, body),
  } as unknown as NoOpWorld;
  return world;
}
