/**
 * Finding and fetching tools, with stand-ins for the programs themselves.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { packageRoot } from '../../infra/local/platform/root.ts';
import { doctor } from '../../infra/local/tools/doctor.ts';
import { tools } from '../../infra/local/tools/index.ts';
import dynamodbLocal from '../../infra/local/tools/jars/dynamodb-local.json' with { type: 'json' };
import temporalTestServer from '../../infra/local/tools/jars/temporal-test-server.json' with { type: 'json' };
import { download, type JarList } from '../../infra/local/tools/jars.ts';
import { findJava } from '../../infra/local/tools/java.ts';
import { dynamoDbLocalXml } from '../../infra/local/tools/jetty.ts';
import { silent, ToolError, type ToolEvent } from '../../infra/local/tools/progress.ts';
import { findPython } from '../../infra/local/tools/python.ts';
import { attempt, compareVersions, lastLines, onPath, run } from '../../infra/local/tools/run.ts';
import { findTemporal } from '../../infra/local/tools/temporal.ts';

let directory: string;
let bin: string;

/** A program that prints a text, whatever it is asked. */
async function program(path: string, prints: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\necho '${prints}'\n`);
  await chmod(path, 0o755);
  return path;
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'longhaul-tools-'));
  bin = join(directory, 'bin');
  await mkdir(bin);
  vi.stubEnv('LONGHAUL_CACHE_DIR', join(directory, 'cache'));
  vi.stubEnv('TMPDIR', directory);
  vi.stubEnv('PATH', bin);
  for (const name of ['JAVA_HOME', 'LONGHAUL_TEMPORAL_CLI', 'TEMPORAL_ADDRESS']) vi.stubEnv(name, '');
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true, force: true });
});

describe('run', () => {
  it('returns what both streams said', async () => {
    expect(await run('/bin/sh', ['-c', 'echo out; echo err >&2'])).toMatch(/out\nerr|err\nout/);
  });

  it('fails with the command, its exit code and its last lines', async () => {
    const failing = run('/bin/sh', ['-c', 'echo first; echo last; exit 3']);
    await expect(failing).rejects.toThrow(/ended with 3\nfirst\nlast$/);
  });

  it('answers 127 for a program that is not there', async () => {
    expect((await attempt(join(bin, 'nothing'), [])).code).toBe(127);
  });

  it('ends what takes too long', async () => {
    const { code, output } = await attempt('/bin/sh', ['-c', 'exec /bin/sleep 30'], { timeoutMs: 50 });
    expect(code).not.toBe(0);
    expect(output).toContain('SIGKILL');
  });

  it('does not outlive us, however many run, and nobody is warned of that', async () => {
    const source = `
      import { readdirSync } from 'node:fs';
      import { attempt } from './infra/local/tools/run.ts';
      const pids = ${JSON.stringify(join(directory, 'pids'))};
      for (let n = 0; n < 20; n += 1) void attempt('/bin/sh', ['-c', \`/bin/mkdir \${pids}/$$; exec /bin/sleep 60\`]);
      setInterval(() => readdirSync(pids).length === 20 && process.exit(3), 20);
    `;
    const script = join(directory, 'many.mjs');
    await build({
      stdin: { contents: source, loader: 'ts', resolveDir: packageRoot() },
      bundle: true,
      platform: 'node',
      format: 'esm',
      outfile: script,
    });
    await mkdir(join(directory, 'pids'));
    const { code, output } = await attempt(process.execPath, [script]);

    expect([code, output]).toEqual([3, '']);
    for (const pid of await readdir(join(directory, 'pids')))
      await expect.poll(() => existsSync(`/proc/${pid}/exe`)).toBe(false);
  });

  it('tells the last line and the seconds about once a second', async () => {
    const events: ToolEvent[] = [];
    const progress = (event: ToolEvent) => events.push(event);
    await attempt('/bin/sh', ['-c', 'echo halfway; /bin/sleep 1.3'], { tool: 'x', step: 'working', progress });
    expect(events).toEqual([{ tool: 'x', step: 'working', detail: 'halfway, 1 s' }]);
  });

  it('keeps the last lines only', () => {
    expect(lastLines('a\nb\nc\n', 2)).toBe('b\nc');
  });
});

describe('compareVersions', () => {
  it('orders by numbers, not by letters', () => {
    const versions = ['1.9', '1.24', '1.24.3', '17.0.15', '25.0.2.1'];
    expect([...versions].reverse().sort(compareVersions)).toEqual(versions);
  });

  it('is an order', () => {
    const version = fc.array(fc.nat(40), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'));
    fc.assert(
      fc.property(version, version, (a, b) => Math.sign(compareVersions(a, b)) === -Math.sign(compareVersions(b, a))),
    );
  });
});

describe('onPath', () => {
  it('finds the first executable, and no plain file', async () => {
    const second = join(directory, 'second');
    await writeFile(join(bin, 'tool'), '');
    await program(join(second, 'tool'), '');
    expect(onPath('tool', `${bin}:${second}`)).toBe(join(second, 'tool'));
    expect(onPath('tool', bin)).toBeUndefined();
  });
});

describe('temporal', () => {
  it('takes the one the setting names before the one on PATH', async () => {
    await program(join(bin, 'temporal'), 'temporal version 1.0.0');
    vi.stubEnv('LONGHAUL_TEMPORAL_CLI', await program(join(directory, 'mine'), 'temporal version 2.0.0'));
    expect(await findTemporal()).toMatchObject({ version: '2.0.0', found: 'LONGHAUL_TEMPORAL_CLI' });
  });

  it('refuses a setting that names something else', async () => {
    vi.stubEnv('LONGHAUL_TEMPORAL_CLI', await program(join(directory, 'mine'), 'hello'));
    await expect(findTemporal()).rejects.toThrow(/LONGHAUL_TEMPORAL_CLI names .*remedy/s);
  });

  it('takes the one on PATH before one built earlier', async () => {
    await program(join(directory, 'cache', 'temporal-1.5.1', 'temporal'), 'temporal version 1.5.1 (Server 1.29.1)');
    expect(await findTemporal()).toMatchObject({ version: '1.5.1 (Server 1.29.1)', found: 'built before' });
    await program(join(bin, 'temporal'), 'temporal version 1.0.0');
    expect(await findTemporal()).toMatchObject({ version: '1.0.0', found: 'on PATH' });
  });

  it("finds what the SDK's tests downloaded", async () => {
    await program(join(directory, 'temporal-sdk-typescript-1.24.0'), 'temporal version 1.7.0');
    expect(await findTemporal()).toMatchObject({ version: '1.7.0', found: "the Temporal SDK's download" });
  });

  it('passes over one that does not run', async () => {
    await program(join(bin, 'temporal'), 'segmentation fault');
    expect(await findTemporal()).toBeUndefined();
  });
});

describe('java', () => {
  it('prefers JAVA_HOME', async () => {
    await program(join(bin, 'java'), 'openjdk version "21.0.1" 2023');
    vi.stubEnv('JAVA_HOME', join(directory, 'jdk'));
    await program(join(directory, 'jdk', 'bin', 'java'), 'openjdk version "17.0.2" 2022');
    expect(await findJava()).toMatchObject({ version: '17.0.2', found: 'JAVA_HOME' });
  });

  it.each(['1.8.0_292', '11.0.22', '16.0.1'])('passes over version %s', async (version) => {
    await program(join(bin, 'java'), `openjdk version "${version}"`);
    expect(await findJava()).toBeUndefined();
  });

  it('says what was tried and how to get one when it cannot be fetched either', async () => {
    const error = await tools.java(silent).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ToolError);
    expect((error as ToolError).tried).toEqual(['JAVA_HOME', 'java on PATH', expect.stringContaining('no Python')]);
    expect((error as ToolError).remedy).toContain('default-jre-headless');
  });
});

describe('python', () => {
  it.each(['2.7.18', '3.8.10'])('passes over version %s', async (version) => {
    await program(join(bin, 'python3'), `${version} (main)`);
    expect(await findPython()).toBeUndefined();
  });

  it('accepts 3.9', async () => {
    await program(join(bin, 'python3'), '3.9.2 (default)');
    expect(await findPython()).toMatchObject({ version: '3.9.2' });
  });

  it('looks for a newer one, where a tool needs that, by its own name too', async () => {
    await program(join(bin, 'python3'), '3.11.7 (default)');
    await program(join(bin, 'python3.13'), '3.13.0 (default)');
    expect(await findPython('3.12')).toMatchObject({ version: '3.13.0' });
    expect(await findPython()).toMatchObject({ version: '3.11.7' });
  });

  it('finds one that pyenv keeps and does not show', async () => {
    vi.stubEnv('PYENV_ROOT', bin);
    await mkdir(join(bin, 'versions', '3.12.1', 'bin'), { recursive: true });
    await program(join(bin, 'versions', '3.12.1', 'bin', 'python3'), '3.12.1 (default)');
    expect(await findPython('3.12')).toMatchObject({ version: '3.12.1' });
    expect(await findPython()).toBeUndefined();
  });

  it('names the remedy', async () => {
    await expect(tools.python(silent)).rejects.toThrow(/remedy: .*python3-venv/);
  });
});

describe('jars', () => {
  let server: Server;
  let repository: string;
  const content = new Map([
    ['a/b/1/b-1.jar', 'bee'],
    ['a/c/2/c-2.jar', 'sea'],
  ]);
  const list = (): JarList => ({
    coordinate: 'a:b:1',
    files: [...content].map(([path, text]) => ({
      path,
      size: text.length,
      sha256: createHash('sha256').update(text).digest('hex'),
    })),
  });

  beforeEach(async () => {
    server = createServer((request, response) => {
      const text = content.get((request.url ?? '').slice('/root/'.length));
      response.writeHead(text === undefined ? 404 : 200).end(text);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    repository = `http://127.0.0.1:${(server.address() as AddressInfo).port}/root`;
    vi.stubEnv('LONGHAUL_MAVEN_REPOSITORY', repository);
  });

  afterEach(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });

  it('come from the repository the setting names', async () => {
    await download('x', list(), directory, silent);
    expect(await readFile(join(directory, 'b-1.jar'), 'utf8')).toBe('bee');
    expect(await readFile(join(directory, 'c-2.jar'), 'utf8')).toBe('sea');
  });

  it('are refused when the checksum differs', async () => {
    const wrong = list();
    for (const file of wrong.files) file.sha256 = '0'.repeat(64);
    await expect(download('x', wrong, directory, silent)).rejects.toThrow(
      /jar: its checksum is [0-9a-f]{64}, expected 0{64}/,
    );
    expect((await readdir(directory)).filter((name) => name.endsWith('.jar'))).toEqual([]);
  });

  it('that are missing are named, with what was tried and the remedy', async () => {
    const failing = tools.jars('dynamodb-local', silent);
    await expect(failing).rejects.toThrow(/HTTP 404/);
    await expect(failing).rejects.toThrow(/mvn is not on PATH/);
    await expect(failing).rejects.toThrow(/remedy: .*LONGHAUL_MAVEN_REPOSITORY/);
    expect(await readdir(join(directory, 'cache'))).toEqual([]);
  });

  it.each([
    ['DynamoDB Local', dynamodbLocal],
    ['the test server', temporalTestServer],
  ])('of %s are pinned without clashes', (_name, pinned: JarList) => {
    const names = pinned.files.map((file) => file.path.split('/').at(-1));
    expect(new Set(names).size).toBe(names.length);
    for (const file of pinned.files) {
      expect(file.sha256).toMatch(/^[0-9a-f]{64}$/);
      const [version, artifact] = file.path.split('/').slice(0, -1).reverse();
      expect(file.path.endsWith(`/${artifact}-${version}.jar`)).toBe(true);
    }
    const [, artifact, version] = pinned.coordinate.split(':');
    expect(names).toContain(`${artifact}-${version}.jar`);
  });
});

describe("DynamoDB Local's configuration", () => {
  it('holds any path', () => {
    expect(dynamoDbLocalXml(8000, '/a & b/<c>')).toContain('<Arg>/a &amp; b/&lt;c&gt;</Arg>');
  });
});

describe('doctor', () => {
  it('says for each tool whether it is there, without making anything', async () => {
    const findings = await doctor();
    expect(Object.fromEntries(findings.map((finding) => [finding.name, finding.state]))).toEqual({
      node: 'ok',
      python: 'missing',
      java: 'missing',
      temporal: 'will be fetched',
      'dynamodb-local': 'will be fetched',
      'temporal-test-server': 'will be fetched',
      genomics: 'missing',
      voice: 'missing',
      go: 'missing',
      mvn: 'missing',
      docker: 'missing',
      chromium: 'missing',
    });
    for (const finding of findings.filter(({ state }) => state === 'missing')) expect(finding.remedy).toBeTruthy();
    expect(await readdir(directory)).toEqual(['bin']);
  });

  it('reports versions of what is there', async () => {
    await program(join(bin, 'java'), 'openjdk version "21.0.1" 2023');
    await program(join(bin, 'go'), 'go version go1.26.8 linux/amd64');
    await program(join(bin, 'mvn'), 'Apache Maven 3.8.7');
    const findings = await doctor();
    const versionOf = (name: string) => findings.find((finding) => finding.name === name)?.version;
    expect([versionOf('java'), versionOf('go'), versionOf('mvn')]).toEqual(['21.0.1', '1.26.8', '3.8.7']);
  });

  it('takes a Go that is too old for missing', async () => {
    await program(join(bin, 'go'), 'go version go1.19.8 linux/amd64');
    expect((await doctor()).find((finding) => finding.name === 'go')).toMatchObject({
      state: 'missing',
      version: '1.19.8',
    });
  });

  it('needs no server when TEMPORAL_ADDRESS is set', async () => {
    vi.stubEnv('TEMPORAL_ADDRESS', 'temporal.test:7233');
    expect((await doctor()).find((finding) => finding.name === 'temporal')).toMatchObject({ state: 'ok' });
  });
});
