/**
 * The parts of the platform that need no server: ports, state on disk, environment, records.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { childEnvironment, environmentFor } from '../../infra/local/platform/environment.ts';
import { dropState, findPlatform, stopPlatform } from '../../infra/local/platform/index.ts';
import { rotate, tail } from '../../infra/local/platform/logs.ts';
import { choosePorts, DEFAULT_PORTS, hold } from '../../infra/local/platform/ports.ts';
import { endLeftovers, livingRecord, type PlatformRecord, writeRecord } from '../../infra/local/platform/record.ts';
import { entryFile, packageRoot } from '../../infra/local/platform/root.ts';
import { completeState, openState, stateDirectoryOf } from '../../infra/local/platform/state.ts';
import { temporalArguments } from '../../infra/local/platform/temporal.ts';
import { identityOf, isAlive, ownIdentity } from '../../infra/local/tools/identity.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'longhaul-platform-'));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true, force: true });
});

describe('choosePorts', () => {
  let taken: Server;
  let port: number;

  beforeEach(async () => {
    taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    port = (taken.address() as { port: number }).port;
  });

  afterEach(() => new Promise((resolve) => taken.close(resolve)));

  it('names an explicit port that is taken', async () => {
    await expect(choosePorts({ temporal: 0, aws: port, gateway: 0 }, () => {})).rejects.toThrow(
      `port ${port}, asked for as aws, is in use`,
    );
  });

  it('gives different free ones for zeros, and says nothing', async () => {
    const told = vi.fn();
    const ports = await choosePorts({ temporal: 0, temporalUi: 0, aws: 0, dynamodb: 0, openai: 0, gateway: 0 }, told);
    expect(new Set(Object.values(ports)).size).toBe(6);
    expect(told).not.toHaveBeenCalled();
  });

  it('replaces a default that is taken, and says by which', async () => {
    const told = vi.fn();
    const holder = createServer();
    const held = await new Promise<boolean>((resolve) => {
      holder.once('error', () => resolve(false));
      holder.listen(DEFAULT_PORTS.aws, '127.0.0.1', () => resolve(true));
    });
    const ports = await choosePorts({ temporal: 0, temporalUi: 0, dynamodb: 0, openai: 0, gateway: 0 }, told);
    // When something else holds it, it is taken just as well.
    if (held) await new Promise((resolve) => holder.close(resolve));
    expect(told).toHaveBeenCalledWith('aws', DEFAULT_PORTS.aws, ports.aws);
    expect(ports.aws).not.toBe(DEFAULT_PORTS.aws);
  });

  it('holds one that somebody calls meanwhile, and lets it go all the same', async () => {
    const server = (await hold(0)) as Server;
    const { port } = server.address() as AddressInfo;
    const caller = connect({ port, host: '127.0.0.1' }).on('error', () => {});
    await once(caller, 'close');
    connect({ port, host: '127.0.0.1' }).on('error', () => {});

    await new Promise((resolve) => server.close(resolve));
  });

  it('leaves the chosen ports free', async () => {
    const ports = await choosePorts(
      { temporal: 0, temporalUi: 0, aws: 0, dynamodb: 0, openai: 0, gateway: 0 },
      () => {},
    );
    await expect(choosePorts(ports, () => {})).resolves.toEqual(ports);
  });
});

describe('the state directory', () => {
  const parts = ['temporal.db', 'dynamodb', 'aws'];
  const make = async (...names: string[]) => {
    for (const name of names) await mkdir(join(directory, name));
  };

  it.each([
    [{ XDG_STATE_HOME: '/x' }, '/x/longhaul/second'],
    [{ XDG_STATE_HOME: '' }, expect.stringMatching(/\/\.local\/state\/longhaul\/second$/)],
  ])('with %o is %s', (env, expected) => {
    expect(stateDirectoryOf('second', env)).toEqual(expected);
  });

  it.each(['', '../up', 'Upper', 'a/b', '-x', 'x'.repeat(33)])('refuses the name %j', (name) => {
    expect(() => stateDirectoryOf(name)).toThrow(RangeError);
  });

  it('opens again what it made', async () => {
    await openState(directory, parts);
    await make(...parts);
    await completeState(directory);
    await expect(openState(directory, parts)).resolves.toBeUndefined();
  });

  it('opens what a first start that failed half-way left', async () => {
    await openState(directory, parts);
    await make('aws');
    await expect(openState(directory, parts)).resolves.toBeUndefined();
  });

  it('refuses another version, with the remedy', async () => {
    await openState(directory, parts);
    const stamp = JSON.parse(await readFile(join(directory, 'state.json'), 'utf8'));
    await writeFile(join(directory, 'state.json'), JSON.stringify({ ...stamp, stateVersion: 0 }));
    await expect(openState(directory, parts)).rejects.toThrow(/state version 0.*longhaul down --drop/s);
  });

  it('refuses a stamp that cannot be read', async () => {
    await writeFile(join(directory, 'state.json'), '{');
    await expect(openState(directory, parts)).rejects.toThrow('longhaul down --drop');
  });

  it('refuses state without a stamp', async () => {
    await make('dynamodb');
    await expect(openState(directory, parts)).rejects.toThrow('there is dynamodb but no state.json');
  });

  it('refuses when a part was removed by hand', async () => {
    await openState(directory, parts);
    await make(...parts);
    await completeState(directory);
    await rm(join(directory, 'temporal.db'), { recursive: true });
    await expect(openState(directory, parts)).rejects.toThrow('temporal.db was removed');
  });

  it("refuses to mix its own Temporal server's state with another server's", async () => {
    await openState(directory, parts);
    await expect(openState(directory, ['temporal: host:7233', 'dynamodb', 'aws'])).rejects.toThrow(
      'temporal: host:7233',
    );
  });

  it('is dropped as a whole, but nothing else that lies there', async () => {
    await openState(directory, parts);
    await make(...parts, 'logs');
    await writeFile(join(directory, 'thesis.txt'), 'mine');
    await dropState('default', { stateDirectory: directory });
    expect(await readdir(directory)).toEqual(['thesis.txt']);
  });

  it('goes itself when nothing else is in it', async () => {
    await openState(directory, parts);
    await dropState('default', { stateDirectory: directory });
    expect(existsSync(directory)).toBe(false);
  });
});

describe('the environment of children', () => {
  const platform = environmentFor('127.0.0.1:1', 'default', 'http://127.0.0.1:2', 'http://127.0.0.1:3');

  it("holds nothing of the caller's own settings of AWS, OpenAI and Temporal", () => {
    const base = {
      AWS_PROFILE: 'prod',
      AWS_SESSION_TOKEN: 'x',
      AWS_ENDPOINT_URL_S3: 'y',
      TEMPORAL_API_KEY: 'z',
      OPENAI_API_KEY: 'sk-of-somebody',
      OPENAI_BASE_URL: 'https://api.openai.com/v1',
      OPENAI_ORG_ID: 'org-1',
      HOME: '/h',
    };
    const { HOME, ...others } = childEnvironment(platform, {}, base);
    const settings = Object.entries(others).filter(([name]) => /^(AWS|OPENAI|TEMPORAL)/.test(name));
    expect(Object.fromEntries(settings)).toEqual(platform);
    expect(HOME).toBe('/h');
  });

  it('excepts loopback from proxies, beside what is excepted already', () => {
    expect(childEnvironment({}, {}, { NO_PROXY: 'a.test' })).toMatchObject({
      NO_PROXY: 'a.test,127.0.0.1,localhost',
      no_proxy: 'a.test,127.0.0.1,localhost',
    });
  });

  it("lets a process's own settings win", () => {
    expect(childEnvironment(platform, { AWS_REGION: 'eu-central-1' }, {}).AWS_REGION).toBe('eu-central-1');
  });
});

describe("Temporal's arguments", () => {
  it('bind everything to loopback and keep the state in the directory', () => {
    const args = temporalArguments({ ...DEFAULT_PORTS, temporal: 1, temporalUi: 2 }, '/s', {
      LaunchId: 'Keyword',
    }).join(' ');
    expect(args).toContain('--ip 127.0.0.1 --port 1 --ui-ip 127.0.0.1 --ui-port 2 --db-filename /s/temporal.db');
    expect(args).toContain('--search-attribute LaunchId=Keyword');
  });
});

describe('entries', () => {
  it('are files of dist by name, or absolute paths', () => {
    expect(entryFile('worker')).toBe(join(packageRoot(), 'dist', 'worker.js'));
    expect(entryFile('/elsewhere/x.mjs')).toBe('/elsewhere/x.mjs');
  });
});

describe('logs', () => {
  it('keep three earlier runs', async () => {
    const file = join(directory, 'logs', 'x.log');
    for (const text of ['1', '2', '3', '4', '5']) {
      await rotate(file);
      await writeFile(file, text);
    }
    expect((await readdir(join(directory, 'logs'))).sort()).toEqual(['x.log', 'x.log.1', 'x.log.2', 'x.log.3']);
    expect(await readFile(`${file}.3`, 'utf8')).toBe('2');
  });

  it('end with their last lines', async () => {
    const file = join(directory, 'x.log');
    await writeFile(file, 'a\nb\nc\n');
    expect(await tail(file, 2)).toBe('b\nc');
    expect(await tail(join(directory, 'none'))).toBe('');
  });
});

describe('platform.json', () => {
  let bystander: ChildProcess;

  const record = (over: Partial<PlatformRecord>): PlatformRecord => ({
    name: 'default',
    ...ownIdentity(),
    startedAt: '2026-01-01T00:00:00.000Z',
    stateDirectory: directory,
    versions: {},
    ports: DEFAULT_PORTS,
    urls: { temporal: '', aws: '', openai: '' },
    environment: environmentFor('', '', '', ''),
    children: [],
    ...over,
  });

  beforeEach(() => {
    bystander = spawn('sleep', ['60'], { stdio: 'ignore', detached: true });
  });

  afterEach(() => {
    bystander.kill('SIGKILL');
  });

  it('is believed while its supervisor lives', async () => {
    await writeRecord(record({}));
    expect((await livingRecord(directory))?.pid).toBe(process.pid);
    expect((await findPlatform('default', { stateDirectory: directory }))?.reused).toBe(true);
  });

  it('is not believed when the pid is reused by another process', async () => {
    await writeRecord(record({ startTime: 'another' }));
    expect(await findPlatform('default', { stateDirectory: directory })).toBeUndefined();
  });

  it('is not believed when it is cut short', async () => {
    await writeFile(join(directory, 'platform.json'), '{"pid":');
    expect(await findPlatform('default', { stateDirectory: directory })).toBeUndefined();
  });

  it('never gets a process ended that does not carry our marker', async () => {
    const child = identityOf(bystander.pid ?? 0);
    if (!child) throw new Error('the bystander did not start');
    await writeRecord(record({ startTime: 'gone', children: [{ name: 'temporal', ...child }] }));
    expect(await endLeftovers(directory)).toEqual([]);
    expect(isAlive(child)).toBe(true);
    expect(await readdir(directory)).toEqual([]);
  });

  it('of a killed platform: stopping says that none was running', async () => {
    await writeRecord(record({ startTime: 'gone' }));
    expect(await stopPlatform('default', { stateDirectory: directory })).toBe(false);
  });
});
