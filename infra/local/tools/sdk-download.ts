/**
 * The servers the Temporal SDK downloads by itself. The SDK has no call that only downloads, so it is asked, in a
 * process that can be ended, to start one; what it put into the folder is then ours.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { readdir, rename, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { atExit } from './at-exit.ts';
import { cached, makeOnce } from './cache.ts';
import { everySecond, type Progress } from './progress.ts';
import { lastLines } from './run.ts';

/** Without any progress for this long the download counts as out of reach. */
const PATIENCE_MS = 15_000;

/** How the SDK's files are called, and which call fetches each. */
const SERVERS = {
  temporal: { prefix: 'temporal-sdk-typescript', create: 'createLocal' },
  'temporal-test-server': { prefix: 'temporal-test-server-sdk-typescript', create: 'createTimeSkipping' },
} as const;

export type SdkServer = keyof typeof SERVERS;

/** The installed SDK's testing package; undefined where only production dependencies are installed. */
function testingPackage(): { main: string; version: string } | undefined {
  try {
    const require = createRequire(import.meta.url);
    const main = require.resolve('@temporalio/testing');
    const description = readFileSync(join(dirname(main), '..', 'package.json'), 'utf8');
    return { main, version: (JSON.parse(description) as { version: string }).version };
  } catch {
    return undefined;
  }
}

/** Where a download already is: in our cache, or where the SDK keeps its own. */
export async function sdkDownloaded(server: SdkServer): Promise<string | undefined> {
  const sdk = testingPackage();
  if (!sdk) return undefined;
  const places = [
    join(cached(`${server}-sdk-${sdk.version}`), server),
    join(tmpdir(), `${SERVERS[server].prefix}-${sdk.version}`),
  ];
  return places.find((place) => existsSync(place));
}

/**
 * Has the SDK download a server into our cache.
 * @throws Error when it cannot be reached within a bounded time
 */
export async function sdkDownload(server: SdkServer, progress: Progress): Promise<string> {
  const sdk = testingPackage();
  if (!sdk) throw new Error('@temporalio/testing is not installed');
  const folder = `${server}-sdk-${sdk.version}`;
  const directory = await makeOnce(server, folder, progress, async (part) => {
    await fetchInto(part, sdk.main, server, progress);
    const file = (await readdir(part)).find((name) => name.startsWith(SERVERS[server].prefix));
    if (file === undefined) throw new Error('the SDK did not leave a file');
    await rename(join(part, file), join(part, server));
  });
  return join(directory, server);
}

function fetchInto(directory: string, main: string, server: SdkServer, progress: Progress): Promise<void> {
  const script = `
    const { TestWorkflowEnvironment } = require(process.argv[1]);
    const executable = { type: 'cached-download', downloadDir: process.argv[2] };
    TestWorkflowEnvironment.${SERVERS[server].create}({ server: { executable } })
      .then((environment) => environment.teardown())
      .then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });`;
  // A group of its own: ending it also ends the server the SDK may just have started.
  const child = spawn(process.execPath, ['-e', script, main, directory], {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  const end = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // Already gone.
    }
  };
  const forget = atExit(end);
  let said = '';
  child.stderr.on('data', (chunk) => {
    said = lastLines(said + chunk);
  });
  let bytes = 0;
  let movedAt = Date.now();
  let late = false;
  const look = async (seconds: number) => {
    const now = await bytesIn(directory);
    if (now !== bytes) movedAt = Date.now();
    bytes = now;
    progress({ tool: server, step: 'downloading by the Temporal SDK', detail: `${megabytes(bytes)} MB, ${seconds} s` });
    if (Date.now() - movedAt > PATIENCE_MS) {
      late = true;
      end();
    }
  };
  const stopTelling = everySecond((seconds) => void look(seconds));
  return new Promise((resolve, reject) => {
    const settle = (problem?: string) => {
      stopTelling();
      forget();
      end();
      if (problem === undefined) resolve();
      else reject(new Error(problem));
    };
    child.once('error', (error) => settle(error.message));
    child.once('close', (code) => {
      if (late) settle(`no progress for ${PATIENCE_MS / 1000} s`);
      else settle(code === 0 ? undefined : firstCause(said));
    });
  });
}

/** The native error is long and nested; its first line says what failed. */
function firstCause(text: string): string {
  const line = text.split('\n').find((candidate) => /error/i.test(candidate)) ?? lastLines(text, 1);
  return line.trim().slice(0, 300);
}

async function bytesIn(directory: string): Promise<number> {
  let sum = 0;
  for (const name of await readdir(directory).catch(() => [])) {
    sum += (await stat(join(directory, name)).catch(() => undefined))?.size ?? 0;
  }
  return sum;
}

export function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
