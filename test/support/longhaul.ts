/**
 * A whole Longhaul for a test file: the embedded platform on free ports and in a folder of its own, with workers and
 * event consumer as real processes, and the command line as a real process too.
 *
 * @module
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { followLaunch } from '../../clients/launch/progress.ts';
import type { Call } from '../../infra/local/kit/calls.ts';
import type { FaultRule } from '../../infra/local/kit/faults.ts';
import { type LonghaulOptions, startLonghaul } from '../../infra/local/longhaul.ts';
import type { Platform } from '../../infra/local/platform/index.ts';
import { packageRoot } from '../../infra/local/platform/root.ts';
import { type AwsClients, createAwsClients } from '../../lib/aws-clients.ts';
import { readSettings, type Settings } from '../../lib/settings.ts';
import { LaunchStore } from '../../lib/store/launches.ts';
import { StepStore } from '../../lib/store/steps.ts';
import { tableNames } from '../../lib/store/tables.ts';
import { connectTemporal, type TemporalClient } from '../../lib/temporal/client.ts';
import type { LaunchProgress } from '../../workflows/launch/model.ts';

export interface CliResult {
  code: number;
  stdout: string;
  stderr: string;
  /** The last line of stdout as JSON. */
  json(): Record<string, unknown>;
}

type Door = 'aws' | 'openai';

export interface Longhaul {
  platform: Platform;
  settings: Settings;
  aws: AwsClients;
  temporal: TemporalClient;
  launches: LaunchStore;
  steps: StepStore;
  directory: string;
  env: Record<string, string>;
  cli(...args: string[]): Promise<CliResult>;
  run(command: string, ...args: string[]): Promise<CliResult>;
  put(key: string, body: string | Buffer): Promise<string>;
  read(address: string): Promise<string>;
  /** Waits for the end of a launch. */
  follow(launchId: string): Promise<LaunchProgress>;
  /** Plan, log and actions of the AWS stand-ins, or of OpenAI's. */
  faults(rules: FaultRule[], door?: Door): Promise<void>;
  calls(filter: { service?: string; operation?: string }, door?: Door): Promise<Call[]>;
  action(topic: string, input?: unknown, door?: Door): Promise<Record<string, unknown>>;
  /** Everything the processes of the platform have logged. */
  logs(): Promise<string>;
  /** Stops and starts again on the same state. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export async function openLonghaul(
  environment: Record<string, string> = {},
  options: Pick<LonghaulOptions, 'engines' | 'withoutGenomics'> = {},
): Promise<Longhaul> {
  const directory = await mkdtemp(join(tmpdir(), 'longhaul-test-'));
  const start = () =>
    startLonghaul({
      ...options,
      name: 'test',
      stateDirectory: join(directory, 'state'),
      ports: { temporal: 0, temporalUi: 0, aws: 0, dynamodb: 0, openai: 0, gateway: 0 },
      environment,
      signals: false,
    });
  const open = async (platform: Platform) => {
    const env = { ...platform.environment, TEMPORAL_UI_URL: platform.urls.temporalUi ?? '', ...environment };
    Object.assign(process.env, env);
    const settings = readSettings(process.env);
    const aws = createAwsClients();
    const tables = tableNames(settings.tablePrefix);
    const launches = new LaunchStore(aws.dynamodb, tables);
    const steps = new StepStore(aws.dynamodb, tables);
    return { platform, env, settings, aws, launches, steps, temporal: await connectTemporal(settings) };
  };
  const shut = async (longhaul: Longhaul) => {
    await longhaul.temporal.close();
    longhaul.aws.destroy();
    await longhaul.platform.stop();
  };
  const longhaul: Longhaul = {
    ...(await open(await start())),
    directory,
    cli: (...args) => run(process.execPath, [join(packageRoot(), 'bin/longhaul.mjs'), ...args], longhaul.env),
    run: (command, ...args) => run(command, args, longhaul.env),
    async put(key, body) {
      const Bucket = longhaul.settings.bucket;
      await longhaul.aws.s3.send(new PutObjectCommand({ Bucket, Key: key, Body: body }));
      return `s3://${Bucket}/${key}`;
    },
    async read(address) {
      const { readObject } = await import('../../lib/s3-objects.ts');
      return (await readObject(longhaul.aws.s3, address, { limit: 64 * 1024 * 1024 })).bytes.toString('utf8');
    },
    async follow(launchId) {
      let last: LaunchProgress | undefined;
      const sources = { launches: longhaul.launches, steps: longhaul.steps, client: longhaul.temporal.client };
      for await (const picture of followLaunch(sources, launchId, { patienceMs: 120_000 })) last = picture;
      if (!last) throw new Error(`nothing was seen of ${launchId}`);
      return last;
    },
    async faults(rules, door) {
      await admin(longhaul, 'PUT', 'faults', rules, door);
    },
    async calls(filter, door) {
      const query = new URLSearchParams(filter).toString();
      const { calls } = await admin(longhaul, 'GET', `calls?${query}`, undefined, door);
      return calls as Awaited<ReturnType<Longhaul['calls']>>;
    },
    action: (topic, input, door) => {
      const [method = '', path = ''] = topic.split(' ');
      return admin(longhaul, method, path, input, door);
    },
    async logs() {
      const folder = join(directory, 'state/logs');
      const files = (await readdir(folder)).filter((name) => name.includes('.log'));
      return (await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')))).join('\n');
    },
    async restart() {
      await shut(longhaul);
      // What the first start put there would mean: use that server.
      for (const name of Object.keys(longhaul.env)) delete process.env[name];
      Object.assign(longhaul, await open(await start()));
    },
    async close() {
      await shut(longhaul);
      await rm(directory, { recursive: true, force: true });
    },
  };
  return longhaul;
}

async function admin(
  longhaul: Longhaul,
  method: string,
  path: string,
  input?: unknown,
  door: Door = 'aws',
): Promise<Record<string, unknown>> {
  const answer = await fetch(`${longhaul.platform.urls[door]}/_longhaul/${path}`, {
    method,
    ...(method !== 'GET' && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(input ?? {}) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Record<string, unknown>;
}

function run(command: string, args: readonly string[], env: Record<string, string>): Promise<CliResult> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...env, NO_COLOR: '1' }, maxBuffer: 64 * 1024 * 1024 };
    execFile(command, args, options, (error, stdout, stderr) => {
      const code = error ? Number(error.code ?? 1) : 0;
      resolve({
        code,
        stdout,
        stderr,
        json: () => JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>,
      });
    });
  });
}
