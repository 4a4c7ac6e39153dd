/**
 * A restore of objects that are there: put into the S3 stand-in, asked for at the quota's rate by the workers of an embedded
 * platform, and counted in a listing at the end.
 *
 * @module
 */
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { CreateBucketCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { type Longhaul, openLonghaul } from '../../support/longhaul.ts';
import { putArchived } from './archived.ts';
import { round } from './figures.ts';
import { runOurs } from './runs.ts';

const BUCKET = 'restore-scale';
const PREFIX = 'runs/';
/** The call log keeps so many that this is often enough, ms. */
const COUNT_EVERY_MS = 20_000;

/**
 * @param hourMs what an hour of Glacier becomes, ms
 * @throws Error when not every object is restored
 */
export async function restoreReal(objects: number, hourMs: number): Promise<Record<string, unknown>> {
  // Nothing tells of the objects of this bucket: they are looked at every so often.
  const poll = objects > 100_000 ? '60' : '5';
  const environment = { LONGHAUL_LOG_LEVEL: 'warn', LONGHAUL_RESTORE_POLL_SECONDS: poll };
  const longhaul = await openLonghaul(environment, { withoutGenomics: true });
  try {
    const { aws, env, platform } = longhaul;
    const door = { url: platform.urls.aws, region: env.AWS_REGION ?? '', accessKeyId: env.AWS_ACCESS_KEY_ID ?? '' };
    await aws.s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
    await longhaul.action('POST restore-time', { scale: hourMs / 3_600_000 });
    const before = performance.now();
    await putArchived(door, BUCKET, PREFIX, objects);
    const putSeconds = (performance.now() - before) / 1000;
    console.error(`${objects} objects put in ${Math.round(putSeconds)} s`);
    const counter = new CallCounter(longhaul);
    await counter.start();
    const run = await runOurs(longhaul, BUCKET, PREFIX);
    const calls = await counter.stop();
    const restored = await countRestored(aws.s3);
    const { 'RestoreObject 202': asked = 0, 'RestoreObject 200': extended = 0, 'RestoreObject 409': again = 0 } = calls;
    if (restored !== objects || asked !== objects)
      throw new Error(
        `${restored} of ${objects} objects are restored, ${asked} were asked for: ${JSON.stringify(calls)}`,
      );
    const sum = (operation: string) =>
      Object.entries(calls).reduce((total, [name, count]) => total + (name.startsWith(`${operation} `) ? count : 0), 0);
    return {
      objects,
      seconds: round(run.completeSeconds),
      requestingSeconds: round(run.requestingSeconds),
      perSecond: round(objects / run.requestingSeconds),
      peakRssMiB: await peakOf(platform.children.find(({ name }) => name === 'worker')?.pid),
      historyEvents: run.historyEvents,
      restored,
      askedTwice: extended + again,
      throttledShare: (calls['RestoreObject 503'] ?? 0) / sum('RestoreObject'),
      listCalls: sum('ListObjectsV2'),
      restoreCalls: sum('RestoreObject'),
      putCalls: sum('PutObject'),
      putSeconds: Math.round(putSeconds),
    };
  } finally {
    await longhaul.close();
  }
}

/** Calls of S3 by operation and status; read off the stand-in's log before that forgets them. */
class CallCounter {
  readonly #longhaul: Longhaul;
  readonly #counts: Record<string, number> = {};
  #after = 0;
  #stop = new AbortController();
  #running: Promise<void> | undefined;

  constructor(longhaul: Longhaul) {
    this.#longhaul = longhaul;
  }

  async start(): Promise<void> {
    this.#after = Number((await this.#longhaul.action('GET calls?service=none')).lastSeq);
    this.#running = this.#run();
  }

  async stop(): Promise<Record<string, number>> {
    this.#stop.abort();
    await this.#running;
    await this.#count();
    return this.#counts;
  }

  async #run(): Promise<void> {
    for (;;) {
      await delay(COUNT_EVERY_MS, undefined, { signal: this.#stop.signal }).catch(() => {});
      if (this.#stop.signal.aborted) return;
      await this.#count();
    }
  }

  async #count(): Promise<void> {
    const answer = await this.#longhaul.action(`GET calls?service=s3&after=${this.#after}`);
    const calls = answer.calls as Awaited<ReturnType<Longhaul['calls']>>;
    for (const { operation, status } of calls) {
      const name = `${operation} ${status}`;
      this.#counts[name] = (this.#counts[name] ?? 0) + 1;
    }
    this.#after = Number(answer.lastSeq);
  }
}

async function countRestored(s3: S3Client): Promise<number> {
  let restored = 0;
  let token: string | undefined;
  do {
    const page = await s3.send(
      new ListObjectsV2Command({
        Bucket: BUCKET,
        Prefix: PREFIX,
        OptionalObjectAttributes: ['RestoreStatus'],
        ...(token && { ContinuationToken: token }),
      }),
    );
    for (const { RestoreStatus: status } of page.Contents ?? [])
      if (status && !status.IsRestoreInProgress && status.RestoreExpiryDate) restored += 1;
    token = page.NextContinuationToken;
  } while (token);
  return restored;
}

/** The most memory a process of this group ever had, MiB. Linux only; NaN elsewhere. */
async function peakOf(group: number | undefined): Promise<number> {
  let peak = Number.NaN;
  for (const pid of await readdir('/proc').catch(() => [])) {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
    // The command stands in brackets and may hold anything.
    if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]) !== group) continue;
    const status = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
    const mib = Math.round(Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) / 1024);
    if (!(peak >= mib)) peak = mib;
  }
  return peak;
}
