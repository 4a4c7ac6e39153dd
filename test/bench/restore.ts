/**
 * Asking for many archived objects, beside rclone on the same stand-in of S3, which takes 1,000 RestoreObject a second:
 * see docs/performance.md. Both take turns, each round with objects of its own: a restore begins once.
 *
 *   npm run bench -- restore [--objects 20000] [--rounds 3] [--latency 0] [--hour-ms 1800]
 *       [--without-rclone] [--json]
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { silent } from '../../infra/local/tools/index.ts';
import { rclone } from '../../infra/local/tools/peers.ts';
import { openLonghaul } from '../support/longhaul.ts';
import { option, report } from './report.ts';
import { putArchived } from './restore/archived.ts';
import { median, round } from './restore/figures.ts';
import { type AskedBy, askedFor, runOurs, runRclone } from './restore/runs.ts';

/** What an hour of Glacier becomes, ms: 3 to 5 of them by Standard. */
const hourMs = Number(option('hour-ms') ?? 1_800);
const LONGEST_MS = 5 * hourMs;
const BUCKET = 'restore-bench';

const objects = Number(option('objects') ?? 20_000);
const rounds = Number(option('rounds') ?? (objects > 20_000 ? 1 : 3));
const latencyMs = Number(option('latency') ?? 0);
const program = option('without-rclone') === undefined ? await rclone(silent) : undefined;
const longhaul = await openLonghaul({ LONGHAUL_LOG_LEVEL: 'warn' }, { withoutGenomics: true });
try {
  const { env, platform, aws } = longhaul;
  await aws.s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  await longhaul.action('POST restore-time', { scale: hourMs / 3_600_000 });
  // On AWS an answer takes some time; on loopback it takes none.
  if (latencyMs > 0)
    await longhaul.faults([
      { service: 's3', operation: 'RestoreObject', share: 1, effect: 'delay', when: 'after', delayMs: latencyMs },
    ]);
  const door = {
    url: platform.urls.aws,
    region: env.AWS_REGION ?? '',
    accessKeyId: env.AWS_ACCESS_KEY_ID ?? '',
    secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '',
  };
  const ours: (Awaited<ReturnType<typeof runOurs>> & AskedBy)[] = [];
  const theirs: (Awaited<ReturnType<typeof runRclone>> & AskedBy)[] = [];
  // What is loaded and compiled at first use is not the matter.
  await putArchived(door, BUCKET, 'warm/', 100);
  await runOurs(longhaul, BUCKET, 'warm/');
  for (let nth = 1; nth <= rounds; nth += 1) {
    const [a, b] = [`a${nth}/`, `b${nth}/`];
    await putArchived(door, BUCKET, a, objects);
    if (program) await putArchived(door, BUCKET, b, objects);
    const run = await runOurs(longhaul, BUCKET, a);
    ours.push({ ...run, ...(await askedFor(longhaul, BUCKET, a, objects)) });
    if (!program) continue;
    const peer = await runRclone(program, door, BUCKET, b);
    theirs.push({ ...peer, ...(await askedFor(longhaul, BUCKET, b)) });
    // What it has asked for becomes readable before anything else is measured.
    await delay(LONGEST_MS);
    console.error(
      `round ${nth}: ours ${round(run.seconds)} s, rclone ${round(peer.seconds)} s (asked for ${theirs.at(-1)?.asked})`,
    );
  }
  const seconds = median(ours.map((run) => run.seconds));
  const rclonePerSecond = median(theirs.map(({ asked, seconds: took }) => asked / took));
  report({
    objects,
    rounds,
    seconds: round(seconds),
    perSecond: round(objects / seconds),
    requestingSeconds: round(median(ours.map((run) => run.requestingSeconds))),
    throttledShare: median(ours.map((run) => run.throttledShare)),
    ...(program && {
      rclonePerSecond: round(rclonePerSecond),
      rcloneSeconds: round(median(theirs.map((run) => run.seconds))),
      rcloneThrottledShare: median(theirs.map((run) => run.throttledShare)),
      rcloneAsked: Math.min(...theirs.map(({ asked }) => asked)),
      ratio: round(objects / seconds / rclonePerSecond),
    }),
    completeSeconds: round(median(ours.map((run) => run.completeSeconds))),
    historyEvents: Math.max(...ours.map((run) => run.historyEvents)),
    calls: median(ours.map(({ calls }) => calls)),
    ...(latencyMs > 0 && { latencyMs }),
  });
} finally {
  await longhaul.close();
}
process.exit(0);
