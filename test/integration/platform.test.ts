/**
 * The platform with its real servers: two side by side, found and stopped from elsewhere, killed and healed, with
 * everything it keeps there again after a restart.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateTableCommand, DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Client, Connection } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { build } from 'esbuild';
import OpenAI from 'openai';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  dropState,
  findPlatform,
  type Platform,
  type PlatformOptions,
  startPlatform,
  stopPlatform,
} from '../../infra/local/platform/index.ts';
import { markedProcesses } from '../../infra/local/platform/record.ts';
import { packageRoot } from '../../infra/local/platform/root.ts';
import { silent, type ToolEvent, tools } from '../../infra/local/tools/index.ts';
import { startServer } from '../support/time-skipping.ts';

const ANY_PORT = { temporal: 0, temporalUi: 0, aws: 0, dynamodb: 0, openai: 0, gateway: 0 };

/** Compiled entries; inside the package, where its dependencies are found. */
let entries: string;
let directory: string;
const platforms: Platform[] = [];
const processes: ChildProcess[] = [];

beforeAll(async () => {
  await mkdir(join(packageRoot(), 'node_modules', '.cache'), { recursive: true });
  entries = await mkdtemp(join(packageRoot(), 'node_modules', '.cache', 'longhaul-'));
  const common = { bundle: true, platform: 'node', format: 'esm', packages: 'external', logLevel: 'silent' } as const;
  const supervisor = `
    import { startPlatform } from './infra/local/platform/index.ts';
    const platform = await startPlatform(JSON.parse(process.argv[2]));
    console.log(JSON.stringify({ reused: platform.reused, pid: platform.pid }));
    setInterval(() => {}, 1000);`;
  for (const name of ['aws', 'openai']) {
    const main = join(packageRoot(), 'infra', 'local', name, 'main.ts');
    await build({ ...common, entryPoints: [main], outfile: join(entries, `${name}.js`) });
  }
  const stdin = { contents: supervisor, resolveDir: packageRoot() };
  await build({ ...common, stdin, outfile: join(entries, 'supervisor.mjs') });
  // Whatever has to be fetched or built is not part of the tests' time limits.
  await Promise.all([tools.temporal(silent), tools.java(silent), tools.jars('dynamodb-local', silent)]);
});

afterAll(() => rm(entries, { recursive: true, force: true }));

beforeEach(async () => {
  vi.stubEnv('TEMPORAL_ADDRESS', '');
  directory = await mkdtemp(join(tmpdir(), 'longhaul-platform-'));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const platform of platforms.splice(0)) await platform.stop();
  for (const child of processes.splice(0)) child.kill('SIGKILL');
  await vi.waitFor(async () => expect(await leftIn(directory)).toEqual([]), { timeout: 60_000 });
  await rm(directory, { recursive: true, force: true });
});

/** The processes of all platforms below a directory. */
async function leftIn(parent: string): Promise<number[]> {
  const states = ['one', 'two'].map((name) => join(parent, name));
  return (await Promise.all(states.map(markedProcesses))).flat();
}

const optionsFor = (name: string): PlatformOptions => ({
  name,
  stateDirectory: join(directory, name),
  ports: ANY_PORT,
  awsEntry: join(entries, 'aws.js'),
  openaiEntry: join(entries, 'openai.js'),
  signals: false,
});

async function start(name: string, over: PlatformOptions = {}): Promise<Platform> {
  const platform = await startPlatform({ ...optionsFor(name), ...over });
  if (!platform.reused) platforms.push(platform);
  return platform;
}

/** Starts a platform that another process holds; resolves when it is up. */
async function startElsewhere(name: string): Promise<ChildProcess> {
  const options = JSON.stringify({ ...optionsFor(name), signals: true });
  const child = spawn(process.execPath, [join(entries, 'supervisor.mjs'), options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  processes.push(child);
  const up = await Promise.race([once(child.stdout ?? child, 'data'), once(child, 'exit')]);
  if (typeof up[0] === 'number') throw new Error(`the supervisor ended with ${up[0]}`);
  return child;
}

/** SDK settings as any user has them: from the environment's values. */
const sdk = ({ environment }: Platform) => ({
  endpoint: environment.AWS_ENDPOINT_URL,
  region: environment.AWS_REGION,
  credentials: { accessKeyId: environment.AWS_ACCESS_KEY_ID, secretAccessKey: environment.AWS_SECRET_ACCESS_KEY },
});

async function withTemporal<T>(platform: Platform, work: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address: platform.environment.TEMPORAL_ADDRESS });
  try {
    return await work(new Client({ connection, namespace: platform.environment.TEMPORAL_NAMESPACE }));
  } finally {
    await connection.close();
  }
}

describe('the platform', () => {
  it('runs beside another one, and a second start of the same name returns the first', async () => {
    const [one, two] = await Promise.all([start('one'), start('two')]);
    const again = await start('one');
    const ports = [one, two].flatMap((platform) => Object.values(platform.ports));
    expect(new Set(ports).size).toBe(12);
    expect([one.reused, two.reused, again.reused]).toEqual([false, false, true]);
    expect(again.environment).toEqual(one.environment);
    expect(
      one
        .status()
        .map(({ name, state }) => `${name} ${state}`)
        .sort(),
    ).toEqual(['aws running', 'dynamodb running', 'openai running', 'temporal running']);
    const found = await findPlatform('two', { stateDirectory: join(directory, 'two') });
    expect(found?.urls).toEqual(two.urls);
    expect((await fetch(two.urls.temporalUi ?? '')).status).toBe(200);
    expect((await fetch(`${one.urls.aws}/_longhaul/health`)).status).toBe(200);
  });

  it("has OpenAI's stand-in, with a key that is nobody's, whatever the caller has set", async () => {
    vi.stubEnv('OPENAI_API_KEY', 'sk-of-somebody');
    vi.stubEnv('OPENAI_BASE_URL', 'http://127.0.0.1:1/v1');
    const { environment, urls } = await start('one');

    const client = new OpenAI({ baseURL: environment.OPENAI_BASE_URL, apiKey: environment.OPENAI_API_KEY });
    expect(await client.models.retrieve('gpt-5-mini')).toMatchObject({ id: 'gpt-5-mini' });
    expect(environment.OPENAI_API_KEY).not.toBe('sk-of-somebody');
    const calls = await fetch(`${urls.openai}/_longhaul/calls?service=openai`);
    expect(await calls.json()).toMatchObject({ calls: [{ operation: 'retrieveModel', subject: 'gpt-5-mini' }] });
  });

  it('listens on loopback only', async (context) => {
    const outside = Object.values(networkInterfaces())
      .flat()
      .find((address) => address && !address.internal && address.family === 'IPv4');
    if (!outside) return context.skip('this machine has no other address than loopback');
    const { ports } = await start('one');
    const reachable = await Promise.all(
      Object.values(ports).map((port) =>
        fetch(`http://${outside.address}:${port}/`, { signal: AbortSignal.timeout(2_000) }).then(
          () => port,
          () => undefined,
        ),
      ),
    );
    expect(reachable.filter((port) => port !== undefined)).toEqual([]);
  });

  it('keeps workflows, tables and objects over a restart, and drops them together', async () => {
    const first = await start('one', { searchAttributes: { LaunchId: 'Keyword' } });
    const key = { id: { S: 'l-1' } };
    const tables = new DynamoDBClient(sdk(first));
    await tables.send(
      new CreateTableCommand({
        TableName: 'Launches',
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
        BillingMode: 'PAY_PER_REQUEST',
      }),
    );
    await tables.send(new PutItemCommand({ TableName: 'Launches', Item: { ...key, status: { S: 'RUNNING' } } }));
    const objects = new S3Client(sdk(first));
    await objects.send(new CreateBucketCommand({ Bucket: 'inputs' }));
    await objects.send(new PutObjectCommand({ Bucket: 'inputs', Key: 'reads.fq', Body: 'ACGT' }));
    await withTemporal(first, (client) =>
      client.workflow.start('launch', { workflowId: 'launch/l-1', taskQueue: 'nobody', args: [] }),
    );
    await first.stop();
    expect(await findPlatform('one', first)).toBeUndefined();

    const second = await start('one', { searchAttributes: { LaunchId: 'Keyword', Phase: 'Keyword' } });
    const item = await new DynamoDBClient(sdk(second)).send(new GetItemCommand({ TableName: 'Launches', Key: key }));
    expect(item.Item?.status).toEqual({ S: 'RUNNING' });
    const object = await new S3Client(sdk(second)).send(new GetObjectCommand({ Bucket: 'inputs', Key: 'reads.fq' }));
    expect(await object.Body?.transformToString()).toBe('ACGT');
    const { status, attributes } = await withTemporal(second, async (client) => ({
      status: (await client.workflow.getHandle('launch/l-1').describe()).status.name,
      attributes: (await client.connection.operatorService.listSearchAttributes({ namespace: 'default' }))
        .customAttributes,
    }));
    expect(status).toBe('RUNNING');
    expect(Object.keys(attributes ?? {})).toEqual(expect.arrayContaining(['LaunchId', 'Phase']));

    await expect(dropState('one', second)).rejects.toThrow('is running');
    await second.stop();
    await dropState('one', second);
    expect(existsSync(second.stateDirectory)).toBe(false);
  });

  it('killed with -9 leaves no process, and the next start heals', async () => {
    const supervisor = await startElsewhere('one');
    const stateDirectory = join(directory, 'one');
    expect((await markedProcesses(stateDirectory)).length).toBeGreaterThanOrEqual(6);
    supervisor.kill('SIGKILL');
    await vi.waitFor(async () => expect(await markedProcesses(stateDirectory)).toEqual([]), { timeout: 60_000 });
    expect(existsSync(join(stateDirectory, 'platform.json'))).toBe(true);
    expect(await findPlatform('one', { stateDirectory })).toBeUndefined();
    const healed = await start('one');
    expect(healed.reused).toBe(false);
    expect(healed.pid).toBe(process.pid);
  });

  it('started again at once after kill -9 waits for what is left, then comes up', async () => {
    const supervisor = await startElsewhere('one');
    supervisor.kill('SIGKILL');
    await once(supervisor, 'exit');
    expect((await start('one')).reused).toBe(false);
  });

  it('is stopped from another process, which ends its supervisor too', async () => {
    const supervisor = await startElsewhere('one');
    const exit = once(supervisor, 'exit');
    const stateDirectory = join(directory, 'one');
    expect((await start('one')).pid).toBe(supervisor.pid);
    expect(await stopPlatform('one', { stateDirectory })).toBe(true);
    expect(await exit).toEqual([0, null]);
    expect(await markedProcesses(stateDirectory)).toEqual([]);
    expect(await stopPlatform('one', { stateDirectory })).toBe(false);
  });

  it('ends at once on the second Ctrl-C', async () => {
    const supervisor = await startElsewhere('one');
    const exit = once(supervisor, 'exit');
    supervisor.kill('SIGINT');
    supervisor.kill('SIGTERM');
    expect((await exit)[0]).toBe(1);
    await vi.waitFor(async () => expect(await leftIn(directory)).toEqual([]), { timeout: 60_000 });
  });

  it("runs the caller's processes in its environment, and starts again the ones that die", async () => {
    const entry = join(directory, 'extra.mjs');
    await writeFile(
      entry,
      `import { writeFileSync } from 'node:fs';
       writeFileSync(process.env.OUT, JSON.stringify({ pid: process.pid, env: process.env, args: process.argv.slice(2) }));
       process.stdin.resume();`,
    );
    const out = join(directory, 'out.json');
    const told = async () => JSON.parse(await readFile(out, 'utf8'));
    const events: ToolEvent[] = [];
    const platform = await start('one', {
      progress: (event) => events.push(event),
      processes: [
        { name: 'worker', entry, args: ['--queue', 'x'], env: { OUT: out }, ready: async () => existsSync(out) },
      ],
    });
    const first = await told();
    expect(first.env).toMatchObject(platform.environment);
    expect(first.args).toEqual(['--queue', 'x']);
    process.kill(first.pid, 'SIGKILL');
    await vi.waitFor(async () => expect((await told()).pid).not.toBe(first.pid), { timeout: 60_000 });
    await vi.waitFor(() => expect(events.at(-1)).toMatchObject({ tool: 'worker', step: 'runs again' }));
  });

  it('brings its servers back on the same ports when they die', async () => {
    const platform = await start('one');
    const client = new DynamoDBClient({ ...sdk(platform), maxAttempts: 10 });
    const table = { TableName: 'none', Key: { id: { S: '1' } } };
    for (const child of platform.children) process.kill(child.pid, 'SIGKILL');
    await vi.waitFor(
      () => expect(platform.status().every(({ state, restarts }) => state === 'running' && restarts === 1)).toBe(true),
      { timeout: 60_000 },
    );
    await expect(client.send(new GetItemCommand(table))).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await withTemporal(platform, (client) => client.workflowService.getSystemInfo({}));
  });

  it('names the process that does not start, and leaves nothing running', async () => {
    const awsEntry = join(directory, 'broken.mjs');
    await writeFile(awsEntry, "console.error('out of paper'); process.exit(1);");
    const starting = startPlatform({ ...optionsFor('one'), awsEntry });
    await expect(starting).rejects.toThrow(/aws ended while starting \(exit code 1\).*out of paper/s);
    expect(await leftIn(directory)).toEqual([]);
    expect(await findPlatform('one', { stateDirectory: join(directory, 'one') })).toBeUndefined();
  });

  it('refuses a port that is taken, by name', async () => {
    const holder: Server = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as { port: number };
    const starting = startPlatform({ ...optionsFor('one'), ports: { ...ANY_PORT, dynamodb: port } });
    await expect(starting).rejects.toThrow(`port ${port}, asked for as dynamodb, is in use`);
    await new Promise((resolve) => holder.close(resolve));
  });

  it('uses a running Temporal server instead of its own when told so', async () => {
    const one = await start('one');
    const two = await start('two', { temporalAddress: one.urls.temporal });
    expect(two.urls.temporal).toBe(one.urls.temporal);
    expect(two.children.map((child) => child.name).sort()).toEqual(['aws', 'dynamodb', 'openai']);
  });

  it('says which server does not answer when told to use one that is not there', async () => {
    await expect(start('one', { temporalAddress: '127.0.0.1:1' })).rejects.toThrow(
      /no Temporal server answers at 127\.0\.0\.1:1.*unset TEMPORAL_ADDRESS/s,
    );
  });
});

describe('the time-skipping test server', () => {
  it('lets two days pass at once', async () => {
    const { path } = await tools.testServer(silent);
    const environment = await startServer(() =>
      TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type: 'existing-path', path } } }),
    );
    try {
      const before = await environment.currentTimeMs();
      await environment.sleep('2 days');
      expect((await environment.currentTimeMs()) - before).toBeGreaterThanOrEqual(2 * 86_400_000);
    } finally {
      await environment.teardown();
    }
  });
});
