/**
 * One suite for every compute service: what a launch relies on, whatever runs its jobs. A service brings a rig; what it
 * cannot do stands in {@link CANNOT}, and is skipped with that reason.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import type { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ComputeService,
  hasEnded,
  type Job,
  type JobRequest,
  type JobView,
} from '../../activities/launch/compute/service.ts';
import { endingOf } from '../../activities/launch/failures.ts';
import type { Commit } from '../../jobs/commit.ts';
import { listKeys, putText, readJson, readObject } from '../../lib/s3-objects.ts';
import { causeOf, culpritOf } from '../../workflows/launch/causes.ts';
import { claimAddress, commitAddress, encodeManifest, type ManifestRow } from '../../workflows/launch/manifest.ts';
import { formatSubmission, JOB_ENVIRONMENT, type ComputeService as Name } from '../../workflows/launch/model.ts';
import { CANNOT, CONFORMANCE_POINTS, type ConformancePoint } from './conformance-points.ts';
import { until } from './stand-ins.ts';

export interface ComputeRig {
  service: ComputeService;
  s3: S3Client;
  bucket: string;
  /** An image with sh and sleep. */
  image: string;
  /** Ends the host of this job as if it had died: nothing on it can say goodbye. */
  loseHost(job: Job): Promise<void>;
  /** Has the form of an id of this service, and is none. */
  unknownId: string;
  /** The shortest the service takes. */
  timeoutSeconds: number;
  /** Lets time pass where the service has a clock that can be moved. */
  pass?(seconds: number): Promise<void>;
  /** A script that holds ever more memory, up to about a GiB. */
  hog?: string;
  /** How long anything may take, in milliseconds. */
  patienceMs?: number;
  close(): Promise<void>;
}

/** Memory each job asks for, in MiB. */
const MEMORY_MIB = 128;
/** Slow enough for a service that looks once a second, and bounded: it must not take the machine with it. */
const HOG = `exec "${process.execPath}" -e 'const held = []; setInterval(() => held.length < 50 && held.push(Buffer.alloc(2e7, 1)), 50)'`;
const LONG = 'sleep 300';
const DONE = 'echo done > out.txt';

interface Submitted {
  job: Job;
  request: JobRequest;
  rows: ManifestRow[];
}

/** One item for each script. */
export async function prepareJob(
  rig: Pick<ComputeRig, 's3' | 'bucket' | 'image'>,
  scripts: readonly string[],
  more: Partial<JobRequest> = {},
): Promise<{ request: JobRequest; rows: ManifestRow[] }> {
  const launchId = `conformance-${randomUUID().slice(0, 8)}`;
  const state = `s3://${rig.bucket}/launches/${launchId}/`;
  const place = { attempt: 1, generation: 1 };
  const rows = scripts.map((script, index): ManifestRow => {
    const item = `i${index}`;
    return {
      item,
      key: 'k1',
      inputs: [],
      outputs: [{ name: 'out', path: 'out.txt' }],
      script: `set -eu\ncd "$LONGHAUL_WORK/outputs"\n${script}\n`,
      results: `s3://${rig.bucket}/results/${launchId}/work/${item}/`,
      claim: claimAddress(state, 'work', item, place),
      commit: commitAddress(state, 'work', item, 'k1'),
      starts: `${state}starts/work/${item}/`,
    };
  });
  const { rowBytes, text } = encodeManifest(rows);
  const manifest = `${state}attempts/1/steps/work/1-0.jsonl`;
  await putText(rig.s3, manifest, text, 'application/x-ndjson');
  const request: JobRequest = {
    name: `lh-${launchId}-work-1-1-0`,
    items: scripts.length,
    image: rig.image,
    argv: ['/bin/sh', '/longhaul/work/command.sh'],
    vcpus: 1,
    memoryMiB: MEMORY_MIB,
    hostRetries: 0,
    environment: { GREETING: "it's $HOME; `here`" },
    contract: {
      [JOB_ENVIRONMENT.submission]: formatSubmission({
        workflowId: `launch/${launchId}`,
        ...place,
        step: 'work',
        shard: 0,
      }),
      [JOB_ENVIRONMENT.manifest]: manifest,
      [JOB_ENVIRONMENT.rowBytes]: String(rowBytes),
    },
    tags: { 'longhaul:launch': launchId, 'longhaul:step': 'work', 'longhaul:consumer': 'lab-a' },
    ...more,
  };
  return { request, rows };
}

/** @param options.missing why there can be no rig here; then every point is skipped with it */
export function describeConformance(
  name: Name,
  openRig: () => Promise<ComputeRig>,
  { testTimeoutMs = 300_000, missing }: { testTimeoutMs?: number; missing?: string | undefined } = {},
): void {
  let rig: ComputeRig;

  const point = (id: ConformancePoint, run: () => Promise<void>) =>
    it(`${id}: ${CONFORMANCE_POINTS[id]}`, async (context) => {
      const reason = missing ?? CANNOT[name][id];
      if (reason !== undefined) return context.skip(reason);
      await run();
    });

  const patience = () => rig.patienceMs ?? 120_000;

  async function submit(scripts: readonly string[], more: Partial<JobRequest> = {}): Promise<Submitted> {
    const { request, rows } = await prepareJob(rig, scripts, more);
    return { job: await rig.service.submit(request, { lookFirst: false }), request, rows };
  }

  const view = async (id: string): Promise<JobView> => {
    const [found] = await rig.service.describe([id]);
    if (!found) throw new Error(`nothing is said of ${id}`);
    return found;
  };
  const reached = ({ id }: Job, test: (view: JobView) => boolean) => {
    let last: JobView | undefined;
    return until(
      `job ${id}`,
      async () => {
        last = await view(id);
        return test(last) ? last : undefined;
      },
      patience(),
    ).catch((error: Error) => {
      throw new Error(`${error.message}; it was last ${JSON.stringify(last)}`);
    });
  };
  const over = (job: Job) => reached(job, hasEnded);
  /** Its command has begun: the service may say so before. */
  const running = async ({ job, rows }: Submitted) => {
    await until('a start record', async () => (await keysUnder(rows[0]?.starts ?? ''))[0], patience());
    await reached(job, ({ status }) => status === 'RUNNING');
  };
  const causeOfView = (seen: JobView) => causeOf(endingOf(seen));
  const keysUnder = async (prefix: string) => {
    const found: string[] = [];
    for await (const keys of listKeys(rig.s3, prefix)) found.push(...keys);
    return found;
  };
  const commitOf = (row: ManifestRow | undefined) => readJson<Commit>(rig.s3, row?.commit ?? '', 65_536);
  const committed = async (rows: readonly ManifestRow[]) => {
    const folder = /^.*\/commits\//.exec(rows[0]?.commit ?? '')?.[0] ?? '';
    return (await keysUnder(folder)).map((key) => key.split('/').at(-2)).sort();
  };

  describe(`compute service ${name}`, { timeout: testTimeoutMs }, () => {
    beforeAll(async () => {
      if (missing === undefined) rig = await openRig();
    }, testTimeoutMs);
    afterAll(() => rig?.close());

    point('single', async () => {
      const { job, rows } = await submit(['echo "$GREETING" > out.txt']);
      expect(job).toMatchObject({
        id: expect.any(String),
        account: expect.stringMatching(/./),
        region: expect.stringMatching(/./),
      });
      const seen = await over(job);

      expect(seen).toMatchObject({ id: job.id, status: 'SUCCEEDED' });
      const commit = await commitOf(rows[0]);
      expect(commit).toMatchObject({ item: 'i0', jobId: job.id, jobAttempt: 1, exitCode: 0 });
      const { bytes } = await readObject(rig.s3, commit.outputs.out?.[0]?.address ?? '', { limit: 65_536 });
      expect(bytes.toString('utf8')).toBe("it's $HOME; `here`\n");
      expect(causeOfView(seen)).toBe('UNCOMMITTED');
    });

    point('array', async () => {
      const { job, rows } = await submit(['echo 0 > out.txt', 'exit 3', 'echo 2 > out.txt']);
      const seen = await over(job);

      expect(seen).toMatchObject({ status: 'FAILED', counts: { running: 0, succeeded: 2, failed: 1 } });
      expect(await committed(rows)).toEqual(['i0', 'i2']);
      expect((await commitOf(rows[2])).jobId).toBe(`${job.id}:2`);
    });

    point('doubled', async () => {
      const { request, rows } = await prepareJob(rig, [DONE]);
      const first = await rig.service.submit(request, { lookFirst: false });
      // Listings may be a moment late; Temporal comes again later than that.
      const second = await until('its name is known', async () => {
        const found = await rig.service.submit(request, { lookFirst: true });
        return found.id === first.id ? found : undefined;
      });

      expect(second).toEqual(first);
      await over(first);
      // Also when it has ended.
      expect(await rig.service.submit(request, { lookFirst: true })).toEqual(first);
      expect(await keysUnder(rows[0]?.starts ?? '')).toHaveLength(1);
    });

    point('raced', async () => {
      const { request, rows } = await prepareJob(rig, ['sleep 1; echo done > out.txt']);
      const jobs = await Promise.all([1, 2].map(() => rig.service.submit(request, { lookFirst: false })));
      const views = await Promise.all(jobs.map(over));

      expect(await committed(rows)).toEqual(['i0']);
      const ids = new Set(jobs.map(({ id }) => id));
      const causes = [...ids].map((id) => causeOfView(views.find((seen) => seen.id === id) as JobView));
      expect(causes.sort()).toEqual(ids.size === 1 ? ['UNCOMMITTED'] : ['SUPERSEDED', 'UNCOMMITTED']);
    });

    point('cancel', async () => {
      const submitted = await submit([LONG]);
      await running(submitted);
      await rig.service.terminate(submitted.job.id, 'the launch was cancelled');
      const seen = await over(submitted.job);

      expect(seen.status).toBe('FAILED');
      expect(causeOfView(seen)).toBe('TERMINATED');
      expect(await committed(submitted.rows)).toEqual([]);
    });

    point('memory', async () => {
      const { job } = await submit([rig.hog ?? HOG]);

      expect(causeOfView(await over(job))).toBe('OUT_OF_MEMORY');
    });

    point('timeout', async () => {
      const submitted = await submit([LONG], { timeoutSeconds: rig.timeoutSeconds });
      if (rig.pass) {
        await running(submitted);
        await rig.pass(rig.timeoutSeconds + 1);
      }

      expect(causeOfView(await over(submitted.job))).toBe('TIMEOUT');
    });

    point('host lost', async () => {
      const submitted = await submit([LONG]);
      await running(submitted);
      await rig.loseHost(submitted.job);

      expect(causeOfView(await over(submitted.job))).toBe('HOST_LOST');
    });

    point('host retried', async () => {
      const once =
        'if [ "${LONGHAUL_JOB_ATTEMPT:-$AWS_BATCH_JOB_ATTEMPT}" = 1 ]; then sleep 300; fi; echo again > out.txt';
      const submitted = await submit([once], { hostRetries: 1 });
      await running(submitted);
      await rig.loseHost(submitted.job);

      expect(await over(submitted.job)).toMatchObject({ status: 'SUCCEEDED' });
      expect(await commitOf(submitted.rows[0])).toMatchObject({ jobId: submitted.job.id, jobAttempt: 2 });
    });

    point('lost', async () => {
      const seen = await view(rig.unknownId);

      expect(seen.status).toBe('LOST');
      expect(causeOfView(seen)).toBe('LOST');
    });

    point('exit code', async () => {
      const [failed, own, nothing] = await Promise.all([submit(['exit 7']), submit(['exit 64']), submit(['true'])]);
      const seen = await over(failed.job);

      expect(causeOfView(seen)).toBe('EXIT_CODE');
      expect(culpritOf(endingOf(seen))).toMatchObject({ name: 'main', exitCode: 7 });
      expect(causeOfView(await over(own.job))).toBe('EXIT_CODE');
      expect(causeOfView(await over(nothing.job))).toBe('OUTPUTS_MISSING');
    });

    point('logs', async () => {
      const { job } = await submit(['for n in 1 2 3 4 5; do echo "line $n"; done; echo last >&2; exit 1']);
      const seen = await over(job);
      const stream = seen.containers.find(({ name: container }) => container === 'main')?.logStream ?? '';

      // Two pipes: which of their lines is read first is nobody's promise.
      const lines = ['last', 'line 1', 'line 2', 'line 3', 'line 4', 'line 5'];
      await expect
        .poll(async () => (await rig.service.lastLogLines(stream, 6)).toSorted(), { timeout: patience() })
        .toEqual(lines);
      expect(await rig.service.lastLogLines(stream, 6).then((all) => all.slice(-3))).toEqual(
        await rig.service.lastLogLines(stream, 3),
      );
    });

    point('failed children', async () => {
      const { job } = await submit([DONE, 'exit 5', DONE, DONE, 'true']);
      await over(job);
      const found: JobView[] = [];
      for await (const page of rig.service.failedChildren(job.id)) found.push(...page);

      const causes = found.map((child) => [child.id, causeOfView(child)]).sort();
      expect(causes).toEqual([
        [`${job.id}:1`, 'EXIT_CODE'],
        [`${job.id}:4`, 'OUTPUTS_MISSING'],
      ]);
    });

    point('end ended', async () => {
      const { job, rows } = await submit([DONE]);
      const before = await over(job);
      await rig.service.terminate(job.id, 'too late');
      const after = await view(job.id);

      expect(after).toEqual(before);
      expect(await committed(rows)).toEqual(['i0']);
    });
  });
}
