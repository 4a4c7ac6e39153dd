/**
 * The `temporal` dev server: the user's own, the SDK's download, or one built from the pinned Go module.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cached, makeOnce } from './cache.ts';
import { type Progress, ToolError } from './progress.ts';
import { attempt, compareVersions, onPath, run, versionOf } from './run.ts';
import { sdkDownload, sdkDownloaded } from './sdk-download.ts';

export interface TemporalTool {
  path: string;
  version: string;
  /** Which way it was found, for the screen. */
  found: string;
}

/** The last tag that builds through the Go module proxy. */
const TEMPORAL_CLI = { module: 'github.com/temporalio/cli/cmd/temporal', version: 'v1.5.1' };
const LEAST_GO = '1.24';
const BUILT = `temporal-${TEMPORAL_CLI.version.slice(1)}`;

/** The version of a `temporal` program; undefined when it does not run. */
function temporalVersion(path: string): Promise<string | undefined> {
  return versionOf(path, ['--version'], /version (\S+ ?(?:\(.*\))?)/);
}

/**
 * What is on this machine already, in order of preference: the setting, PATH, the SDK's download, our own build.
 * @throws ToolError when LONGHAUL_TEMPORAL_CLI names something that does not run
 */
export async function findTemporal(): Promise<TemporalTool | undefined> {
  const set = process.env.LONGHAUL_TEMPORAL_CLI;
  if (set) {
    const version = await temporalVersion(set);
    if (version !== undefined) return { path: set, version, found: 'LONGHAUL_TEMPORAL_CLI' };
    throw new ToolError('temporal', `LONGHAUL_TEMPORAL_CLI names ${set}, which does not answer --version`, {
      remedy: 'correct LONGHAUL_TEMPORAL_CLI, or unset it to have one found',
    });
  }
  const places: [string | undefined, string][] = [
    [onPath('temporal'), 'on PATH'],
    [await sdkDownloaded('temporal'), "the Temporal SDK's download"],
    [join(cached(BUILT), 'temporal'), 'built before'],
  ];
  for (const [path, found] of places) {
    if (path === undefined || !existsSync(path)) continue;
    const version = await temporalVersion(path);
    if (version !== undefined) return { path, version, found };
  }
  return undefined;
}

/** Finds, downloads or builds it. */
export async function temporal(progress: Progress): Promise<TemporalTool> {
  const there = await findTemporal();
  if (there) {
    progress({ tool: 'temporal', step: `found: ${there.found}`, detail: there.path });
    return there;
  }
  const tried = ['LONGHAUL_TEMPORAL_CLI (not set)', 'temporal on PATH (not there)'];
  const found = (await download(progress, tried)) ?? (await build(progress, tried));
  progress({ tool: 'temporal', step: found.found, detail: found.path });
  return found;
}

async function download(progress: Progress, tried: string[]): Promise<TemporalTool | undefined> {
  try {
    const path = await sdkDownload('temporal', progress);
    const version = await temporalVersion(path);
    if (version !== undefined) return { path, version, found: 'downloaded by the Temporal SDK' };
    tried.push(`the Temporal SDK's download (${path} does not run)`);
  } catch (error) {
    tried.push(`the Temporal SDK's download: ${(error as Error).message}`);
  }
  return undefined;
}

async function build(progress: Progress, tried: string[]): Promise<TemporalTool> {
  const go = onPath('go');
  const version = go && (await versionOf(go, ['version'], /go(\d+\.\d+(?:\.\d+)?)/));
  if (!go || !version || compareVersions(version, LEAST_GO) < 0) {
    throw new ToolError('temporal', 'no dev server found, and it cannot be built without Go', {
      tried: [...tried, go ? `go ${version} (${LEAST_GO} or later is needed)` : 'go on PATH (not there)'],
      remedy: `install the Temporal CLI or Go ${LEAST_GO}, or set TEMPORAL_ADDRESS to a running server`,
    });
  }
  try {
    const directory = await makeOnce('temporal', BUILT, progress, (part) => compile(go, part, progress));
    const path = join(directory, 'temporal');
    return { path, version: (await temporalVersion(path)) ?? 'unknown', found: 'built with Go' };
  } catch (error) {
    throw new ToolError('temporal', 'no dev server found, and building it failed', {
      tried: [...tried, (error as Error).message],
      remedy: 'see the last lines above (network? GOPROXY?), or install the Temporal CLI and put it on PATH',
      cause: error,
    });
  }
}

async function compile(go: string, directory: string, progress: Progress): Promise<void> {
  const base = { cwd: directory, progress, tool: 'temporal', timeoutMs: 20 * 60_000 };
  await run(go, ['mod', 'init', 'longhaul.local/temporal'], base);
  await run(go, ['get', '-tool', `${TEMPORAL_CLI.module}@${TEMPORAL_CLI.version}`], {
    ...base,
    step: 'downloading Go modules',
    describe: (line, lines) => ({ detail: `${lines} so far${line && `, ${line.replace('go: ', '')}`}` }),
  });
  progress({ tool: 'temporal', step: 'compiling', detail: 'half a minute to three minutes, once' });
  const { code, output } = await attempt(go, ['list', '-deps', TEMPORAL_CLI.module], {
    ...base,
    step: 'downloading Go modules',
  });
  const packages = code === 0 ? output.split('\n').filter((line) => !line.startsWith('go: ')).length : 0;
  // -v names each package that is compiled; those in Go's own cache are skipped, so this counts an upper bound.
  await run(go, ['build', '-v', '-trimpath', '-o', 'temporal', TEMPORAL_CLI.module], {
    ...base,
    step: 'compiling',
    describe: (line, lines) => ({
      detail: `${lines} of at most ${packages} packages${line && `, ${line}`}`,
      ...(packages > 0 && { percent: Math.min(99, Math.round((100 * lines) / packages)) }),
    }),
  });
}
