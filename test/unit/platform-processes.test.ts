/**
 * Children on their leash: they end with their supervisor, come again when they die, and go in good time.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { spawnLeashed } from '../../infra/local/platform/leash.ts';
import { endLeftovers, markedProcesses, type PlatformRecord, writeRecord } from '../../infra/local/platform/record.ts';
import { type ServiceSpec, Supervised } from '../../infra/local/platform/supervised.ts';
import { Supervisor } from '../../infra/local/platform/supervisor.ts';
import { startTimeOf } from '../../infra/local/tools/identity.ts';
import type { ToolEvent } from '../../infra/local/tools/progress.ts';

let directory: string;
let running: { stop(atOnce?: boolean): Promise<void> }[];
let events: ToolEvent[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'longhaul-processes-'));
  running = [];
  events = [];
});

afterEach(async () => {
  for (const one of running) await one.stop(true);
  await endLeftovers(directory);
  await rm(directory, { recursive: true, force: true });
});

const shell = (script: string, over: Partial<ServiceSpec> = {}): ServiceSpec => ({
  name: 'service',
  command: '/bin/sh',
  args: ['-c', script],
  env: { PATH: process.env.PATH },
  stdin: false,
  readyWithinMs: 10_000,
  graceMs: 10_000,
  backoffMs: 1,
  ...over,
});

function supervise(spec: ServiceSpec): Supervised {
  const logFile = join(directory, 'logs', `${spec.name}.log`);
  const progress = (event: ToolEvent) => events.push(event);
  const service = new Supervised(spec, { marker: directory, logFile, progress, changed: () => {} });
  running.push(service);
  return service;
}

const gone = () => vi.waitFor(async () => expect(await markedProcesses(directory)).toEqual([]), { timeout: 60_000 });
const log = (name = 'service') => readFile(join(directory, 'logs', `${name}.log`), 'utf8').catch(() => '');

describe('the leash', () => {
  const leash = (script: string, stdin = false): ChildProcess =>
    spawnLeashed({ ...shell(script), stdin, marker: directory, logFile: join(directory, 'log') });

  it("ends with the child's exit code", async () => {
    const [code] = await once(leash('exit 7'), 'exit');
    expect(code).toBe(7);
  });

  it('passes SIGTERM on once, and waits for the child to finish', async () => {
    const child = leash('trap "echo term >> $0.out; exit 3" TERM; echo up; while :; do sleep 0.05; done');
    await vi.waitFor(async () => expect(await readFile(join(directory, 'log'), 'utf8')).toContain('up'));
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    expect((await exit)[0]).toBe(3);
  });

  it('hands standard input to a child that watches it', async () => {
    const child = leash('cat; echo over', true);
    child.stdin?.end('line\n');
    await once(child, 'exit');
    expect(await readFile(join(directory, 'log'), 'utf8')).toBe('line\nover\n');
  });

  it('leaves a child without input an empty one', async () => {
    const [code] = await once(leash('cat; exit 4'), 'exit');
    expect(code).toBe(4);
  });

  it('marks the child and what the child starts', async () => {
    const child = leash('sleep 30 & sleep 30');
    await vi.waitFor(async () => expect((await markedProcesses(directory)).length).toBeGreaterThanOrEqual(4));
    process.kill(-(child.pid ?? 0), 'SIGKILL');
    await gone();
  });

  it.each([
    ['obeys', 'exec sleep 60'],
    ['obeys and leaves a child of its own', 'sleep 60 & sleep 61'],
    ['ignores SIGTERM', 'trap "" TERM; while :; do sleep 0.2; done'],
  ])('ends a child that %s when the supervisor is killed', async (_how, script) => {
    const leashFile = new URL('../../infra/local/platform/leash.ts', import.meta.url).pathname;
    const bundle = join(directory, 'supervisor.mjs');
    const options = { ...shell(script), stdin: false, marker: directory, logFile: join(directory, 'log') };
    await build({
      stdin: {
        contents: `import { spawnLeashed } from ${JSON.stringify(leashFile)};
          spawnLeashed(${JSON.stringify(options)}); setInterval(() => {}, 1000); console.log('up');`,
        resolveDir: directory,
      },
      bundle: true,
      platform: 'node',
      format: 'esm',
      outfile: bundle,
    });
    const supervisor = spawn(process.execPath, [bundle], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(supervisor.stdout, 'data');
    await vi.waitFor(async () => expect((await markedProcesses(directory)).length).toBeGreaterThanOrEqual(3));
    supervisor.kill('SIGKILL');
    await gone();
  });
});

describe('a supervised process', () => {
  it('is running once its probe says so', async () => {
    const service = supervise(
      shell('sleep 0.2; : > ready; sleep 60', { probe: async () => (await log()).includes('x') }),
    );
    const begun = service.start();
    expect(service.status().state).not.toBe('running');
    await vi.waitFor(() => expect(service.recorded()).toBeDefined());
    await writeFile(service.logFile, 'x');
    await begun;
    expect(service.status()).toMatchObject({ state: 'running', restarts: 0, pid: service.recorded()?.pid });
  });

  it('that dies while starting is named, with the end of its log', async () => {
    const service = supervise(shell('echo "cannot bind"; exit 9', { probe: async () => false }));
    const starting = service.start();
    await expect(starting).rejects.toThrow(/service ended while starting \(exit code 9\)/);
    await expect(starting).rejects.toThrow(/its log ends with:\s+cannot bind/);
  });

  it('that never answers is ended after its time', async () => {
    const service = supervise(shell('exec sleep 60', { probe: async () => false, readyWithinMs: 200 }));
    await expect(service.start()).rejects.toThrow('did not answer within 0.2 s');
    await gone();
  });

  it('is started again when it dies', async () => {
    const service = supervise(shell('echo run; exec sleep 60', { probe: async () => (await log()).includes('run') }));
    await service.start();
    const first = service.recorded()?.pid ?? 0;
    process.kill(first, 'SIGKILL');
    await vi.waitFor(() => expect(service.status()).toMatchObject({ state: 'running', restarts: 1 }), {
      timeout: 60_000,
    });
    expect(service.recorded()?.pid).not.toBe(first);
    expect(service.status().lastExit).toBe('SIGKILL');
    expect(await log()).toBe('run\nrun\n');
  });

  it('is given up after five new starts in a row, and says so', async () => {
    const service = supervise(shell('echo attempt; exit 5'));
    await service.start();
    await vi.waitFor(() => expect(service.status().state).toBe('failed'), { timeout: 60_000 });
    expect((await log()).match(/attempt/g)).toHaveLength(6);
    expect(events.at(-1)).toMatchObject({ tool: 'service', step: expect.stringContaining('given up') });
    expect(events.at(-1)?.detail).toContain('exit code 5');
  });

  it('is killed when it does not end within its grace', async () => {
    const script = 'trap "" TERM; echo up; while :; do sleep 0.1; done';
    const service = supervise(shell(script, { graceMs: 200, probe: async () => (await log()).includes('up') }));
    await service.start();
    const begun = Date.now();
    await service.stop();
    expect(Date.now() - begun).toBeGreaterThanOrEqual(190);
    await gone();
  });

  it('takes what it started and left behind with it', async () => {
    const service = supervise(shell('sleep 60 & echo up; wait', { probe: async () => (await log()).includes('up') }));
    await service.start();
    await service.stop();
    await gone();
  });

  it('is not started again once it was stopped', async () => {
    const service = supervise(shell('exec sleep 60'));
    await service.start();
    await service.stop();
    expect(service.status()).toMatchObject({ state: 'stopped', restarts: 0 });
    expect(service.recorded()).toBeUndefined();
  });
});

describe('the supervisor', () => {
  const spec = (name: string) =>
    shell(`trap 'echo ${name} >> ${directory}/order; exit 0' TERM; echo up; while :; do sleep 0.02; done`, {
      name,
      probe: async () => (await log(name)).includes('up'),
    });

  it('stops in the order asked for, what started later first', async () => {
    const supervisor = new Supervisor(directory, () => {});
    running.push(supervisor);
    await supervisor.start([spec('temporal'), spec('aws'), spec('dynamodb')], ['aws', 'dynamodb', 'temporal']);
    await supervisor.start([spec('worker')]);
    await supervisor.stop();
    expect(await readFile(join(directory, 'order'), 'utf8')).toBe('worker\naws\ndynamodb\ntemporal\n');
  });

  it('keeps platform.json true when a child is replaced, and removes it on stop', async () => {
    const supervisor = new Supervisor(directory, () => {});
    running.push(supervisor);
    await supervisor.start([spec('aws')]);
    await supervisor.publish({ name: 'x', stateDirectory: directory } as PlatformRecord);
    const file = join(directory, 'platform.json');
    const recorded = async () => (JSON.parse(await readFile(file, 'utf8')) as PlatformRecord).children[0];
    const first = await recorded();
    process.kill(first?.pid ?? 0, 'SIGKILL');
    await vi.waitFor(
      async () => {
        const now = await recorded();
        expect(now?.pid).not.toBe(first?.pid);
        expect(now?.startTime).toBe(startTimeOf(now?.pid ?? 0));
      },
      { timeout: 60_000 },
    );
    await supervisor.stop();
    await expect(readFile(file)).rejects.toThrow('ENOENT');
  });

  it('when one fails to start, throws its error and can stop the others', async () => {
    const supervisor = new Supervisor(directory, () => {});
    running.push(supervisor);
    const starting = supervisor.start([spec('good'), shell('exit 1', { name: 'bad', probe: async () => false })]);
    await expect(starting).rejects.toThrow('bad ended while starting');
    await supervisor.stop();
    await gone();
  });
});

describe('leftovers', () => {
  it('are ended even when their leash was killed and they ignore the end of everything', async () => {
    const child = spawnLeashed({
      ...shell('trap "" TERM; while :; do sleep 0.2; done'),
      marker: directory,
      logFile: join(directory, 'log'),
    });
    await vi.waitFor(async () => expect((await markedProcesses(directory)).length).toBeGreaterThanOrEqual(2));
    child.kill('SIGKILL');
    await once(child, 'exit');
    await writeRecord({ stateDirectory: directory, children: [] } as unknown as PlatformRecord);
    const ended = await endLeftovers(directory);
    expect(ended.length).toBeGreaterThan(0);
    expect(await markedProcesses(directory)).toEqual([]);
  });
});
