/**
 * `npm run demo`: reads are made and uploaded, the sheet is uploaded, and its arrival in S3 launches it. Nothing here
 * talks to the launch in any way a user could not.
 *
 * @module
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import pc from 'picocolors';
import { parseDocument } from 'yaml';
import { showLive } from '../../clients/cli/live.ts';
import { showProgress } from '../../clients/cli/startup.ts';
import { awaitCost } from '../../clients/cost/follow.ts';
import { launchOutputs } from '../../clients/launch/outputs.ts';
import { followLaunch } from '../../clients/launch/progress.ts';
import { launchIdFor } from '../../clients/launch/start.ts';
import { workflowPage } from '../../clients/pages.ts';
import { startLonghaul } from '../../infra/local/longhaul.ts';
import { packageRoot } from '../../infra/local/platform/root.ts';
import { createAwsClients } from '../../lib/aws-clients.ts';
import { mapLimited } from '../../lib/concurrency.ts';
import { formatS3Address } from '../../lib/s3-address.ts';
import { readSettings, type Settings } from '../../lib/settings.ts';
import { LaunchStore } from '../../lib/store/launches.ts';
import { LedgerStore } from '../../lib/store/ledger.ts';
import { RestoreStore } from '../../lib/store/restores.ts';
import { StepStore } from '../../lib/store/steps.ts';
import { tableNames } from '../../lib/store/tables.ts';
import { connectTemporal } from '../../lib/temporal/client.ts';
import { workflowIdOf } from '../../workflows/launch/model.ts';
import { tellStory } from '../story/demo.ts';
import { COHORT_DEFAULTS, generateCohort, readReference } from './generate.ts';
import { type Cost, readComparison, reportLines, restored, summarise } from './report.ts';

const FOLDER = join(packageRoot(), 'examples/lambda');
const DATA = 'data/lambda/';
const ENGINES = ['steps', 'snakemake'] as const;
type Engine = (typeof ENGINES)[number];
const isEngine = (name: string): name is Engine => ENGINES.some((known) => known === name);
const SCRIPTS = ['align.py', 'call.py', 'merge.py', 'compare.py'];
/** The same seed gives the same reads and the same planted variants. */
const SEED = 20_260;
/** The event has to come from S3 through SQS before there is a launch to look at. */
const PATIENCE_MS = 60_000;
/** The stand-in's hours of Glacier pass in seconds. */
const GLACIER_SCALE = 1 / 3600;

const { values: options } = parseArgs({
  options: {
    once: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    engine: { type: 'string', default: 'steps' },
    archived: { type: 'boolean', default: false },
    story: { type: 'boolean', default: false },
    name: { type: 'string', default: process.env.LONGHAUL_PLATFORM ?? 'default' },
    help: { type: 'boolean', default: false },
  },
});

if (options.help) {
  console.log(`Usage: npm run demo -- [--once] [--json] [--engine <engine>] [--archived] [--story] [--name <platform>]

  --once   end when the launch has ended, instead of staying up until Ctrl-C
  --json   print one JSON object as the last line; everything else goes to standard error
  --engine steps: durable steps (default); snakemake: the same sheet as one head job that runs Snakemake
  --archived  the reads lie in S3 Glacier first: the launch waits until they are restored (an hour of Glacier is a
           second here)
  --story  a bedtime story instead: from its prompt to the page its mail links to
  --name   which embedded platform to use or start (default: default)

Examples:
  npm run demo
  npm run demo -- --once --json
  npm run demo -- --engine snakemake
  npm run demo -- --archived --once
  npm run demo -- --story --once`);
  process.exit(0);
}
if (!isEngine(options.engine)) {
  console.error(`--engine: expected one of ${ENGINES.join(', ')}, got ${options.engine}`);
  process.exit(2);
}
const engine = options.engine;

const out = options.json ? process.stderr : process.stdout;
const say = (line = '') => out.write(`${line}\n`);

run().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(`${pc.red('error')}: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(1);
  },
);

async function run(): Promise<number> {
  say(
    pc.bold(
      `Longhaul demo: from ${options.story ? 'a prompt to a bedtime story' : 'reads in S3 to variants'}, on this machine.`,
    ),
  );
  const shown = showProgress(out);
  const platform = await startLonghaul({
    name: options.name,
    progress: shown.progress,
    withoutGenomics: options.story,
    ...(engine === 'snakemake' && { engines: ['snakemake'] as const }),
  }).finally(shown.end);
  Object.assign(process.env, platform.environment);
  if (platform.urls.temporalUi) process.env.TEMPORAL_UI_URL ??= platform.urls.temporalUi;
  const settings = readSettings(process.env);
  const code = options.story ? await story(settings) : await launch(settings);
  if (options.once && !platform.reused) await platform.stop();
  if (options.once || platform.reused) return code;
  say(pc.dim('The platform stays up. Ctrl-C ends it.'));
  return new Promise(() => setInterval(() => {}, 3_600_000));
}

async function story(settings: Settings): Promise<number> {
  const summary = await tellStory(settings, out, say);
  if (options.json && summary) console.log(JSON.stringify(summary));
  return summary ? 0 : 1;
}

async function launch(settings: Settings): Promise<number> {
  const aws = createAwsClients();
  const { client } = await connectTemporal(settings);
  const tables = tableNames(settings.tablePrefix);
  const sources = {
    client,
    launches: new LaunchStore(aws.dynamodb, tables),
    steps: new StepStore(aws.dynamodb, tables),
  };
  const restores = new RestoreStore(aws.dynamodb, tables);
  await letGlacierRun(options.archived ? GLACIER_SCALE : 1);

  await uploadInputs(aws.s3, settings);
  const launchId = await uploadSheet(aws.s3, settings);
  const page = workflowPage(settings, workflowIdOf(launchId));
  say(`Temporal Web UI: ${page}\n`);
  const last = await showLive(followLaunch(sources, launchId, { patienceMs: PATIENCE_MS }), out);
  if (!last) throw new Error('the launch could not be followed');
  const runId = (await sources.launches.get(launchId))?.run_id;
  const run = workflowPage(settings, workflowIdOf(launchId), runId);
  const outputs = await launchOutputs(aws.s3, settings.bucket, launchId);
  const comparison = last.status === 'COMPLETE' ? await readComparison(aws.s3, outputs) : undefined;
  const restore = options.archived ? restored(last, await restores.get(launchId)) : undefined;
  const cost = await costOf(sources.launches, new LedgerStore(aws.dynamodb, tables), launchId);
  const results = { outputs, comparison, page: run, restore, cost };
  for (const line of reportLines(last, results)) say(line);
  if (options.json) console.log(JSON.stringify(summarise(last, results)));
  return last.status === 'COMPLETE' ? 0 : 1;
}

/** The end of the launch has started its pricing: by the stream of the table, as on AWS. */
async function costOf(launches: LaunchStore, ledger: LedgerStore, launchId: string): Promise<Cost> {
  const item = await awaitCost(launches, launchId, PATIENCE_MS);
  return { item, lines: await ledger.lines(launchId) };
}

async function uploadInputs(s3: S3Client, settings: Settings): Promise<void> {
  const reference = await readFile(join(FOLDER, 'lambda_virus.fa.gz'));
  const cohort = generateCohort({ ...COHORT_DEFAULTS, seed: SEED, reference: readReference(reference) });
  const files: [string, string | Buffer][] = [
    ['reference/lambda_virus.fa.gz', reference],
    ['truth/truth.vcf', cohort.truth],
    ...cohort.samples.flatMap(({ reads }) =>
      reads.map(({ fileName, bytes }): [string, Buffer] => [`reads/${fileName}`, bytes]),
    ),
  ];
  for (const name of SCRIPTS) files.push([`pipeline/${name}`, await readFile(join(FOLDER, 'pipeline', name))]);
  const archived = (name: string) => options.archived && name.startsWith('reads/');
  await mapLimited(files, 4, ([name, body]) =>
    s3.send(
      new PutObjectCommand({
        Bucket: settings.bucket,
        Key: `${DATA}${name}`,
        Body: body,
        ...(archived(name) && { StorageClass: 'GLACIER' }),
      }),
    ),
  );
  const bytes = files.reduce((sum, [, body]) => sum + body.length, 0);
  say(
    `${cohort.samples.length} samples of paired reads with planted variants: ${(bytes / 1e6).toFixed(1)} MB in s3://${settings.bucket}/${DATA}`,
  );
  if (options.archived)
    say(
      'The reads are archived in S3 Glacier Flexible Retrieval: a Bulk restore takes 5 to 12 hours, here as many seconds.',
    );
}

/** Of the stand-in for S3, by its own door: on AWS nobody can. */
async function letGlacierRun(scale: number): Promise<void> {
  const answer = await fetch(`${process.env.AWS_ENDPOINT_URL}/_longhaul/restore-time`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ scale }),
  });
  if (!answer.ok) throw new Error(`the time of restores cannot be set: ${answer.status}`);
}

/** The same sheet; Snakemake gets a head job with the resources that all its rules share. */
function sheetFor(name: Engine, text: string): Buffer {
  if (name === 'steps') return Buffer.from(text);
  const document = parseDocument(text);
  document.set('workflowType', name);
  document.set('head', {
    image: 'longhaul/snakemake:9',
    resources: { vcpus: 2, memoryMiB: 2048 },
    timeoutSeconds: 3600,
  });
  return Buffer.from(document.toString());
}

/** The upload is the launch: S3 tells SQS, the event consumer starts the workflow. */
async function uploadSheet(s3: S3Client, settings: Settings): Promise<string> {
  const bytes = sheetFor(engine, await readFile(join(FOLDER, 'sheet.yaml'), 'utf8'));
  const stamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
  const place = { bucket: settings.bucket, key: `sheets/demo/lambda-${stamp}.yaml` };
  const { VersionId, ETag } = await s3.send(
    new PutObjectCommand({ Bucket: place.bucket, Key: place.key, Body: bytes, ContentType: 'application/yaml' }),
  );
  const address = formatS3Address(place);
  const launchId = launchIdFor({ address, bytes, etag: ETag ?? '', ...(VersionId && { version: VersionId }) });
  say(`sheet uploaded to ${address}: launch ${pc.bold(launchId)}`);
  return launchId;
}
