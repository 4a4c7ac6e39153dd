/**
 * What benches compare Longhaul with, and what makes their workflows: from PyPI, each in a virtual environment of its own,
 * or built with Go, when a bench wants it.
 *
 * @module
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeOnce } from './cache.ts';
import { type Progress, ToolError } from './progress.ts';
import { compareVersions, onPath, run, versionOf } from './run.ts';
import { cachedVenv, type VenvTool } from './venv.ts';

const REMEDY = 'see what pip says';

/** Snakemake with its executor for AWS Batch and its storage in S3. */
export const snakemakeOnBatch = (progress: Progress): Promise<VenvTool> =>
  cachedVenv(
    'snakemake-aws-batch',
    'snakemake-9.27.1-aws-batch-0.2.1',
    ['snakemake==9.27.1', 'snakemake-executor-plugin-aws-batch==0.2.1', 'snakemake-storage-plugin-s3==0.3.6'],
    REMEDY,
    progress,
  );

export const toil = (progress: Progress): Promise<VenvTool> =>
  cachedVenv('toil', 'toil-9.6.0', ['toil==9.6.0'], REMEDY, progress);

/** Generates workflows fitted to traces of real ones. */
export const wfcommons = (progress: Progress): Promise<VenvTool> =>
  cachedVenv('wfcommons', 'wfcommons-1.6', ['wfcommons==1.6'], REMEDY, progress);

const RCLONE = { module: 'github.com/rclone/rclone', version: 'v1.76.0', leastGo: '1.26' };
/** rclone's own main is this with every backend and command; those of clouds nobody asks here take minutes to compile. */
const RCLONE_MAIN = `package main

import (
	_ "${RCLONE.module}/backend/s3"
	"${RCLONE.module}/cmd"
	_ "${RCLONE.module}/cmd/backend"
)

func main() {
	cmd.Main()
}
`;

/**
 * rclone with its S3 backend and its command `backend`, through the Go module proxy.
 * @returns the program
 */
export async function rclone(progress: Progress): Promise<string> {
  const tool = 'rclone';
  const go = onPath('go');
  const version = go && (await versionOf(go, ['version'], /go(\d+\.\d+(?:\.\d+)?)/));
  if (!go || !version || compareVersions(version, RCLONE.leastGo) < 0)
    throw new ToolError(tool, `it cannot be built without Go ${RCLONE.leastGo} or later`, {
      tried: [go ? `go ${version}` : 'go on PATH (not there)'],
      remedy: `install Go ${RCLONE.leastGo}, or leave the peer out: --without-rclone`,
    });
  const directory = await makeOnce(tool, `rclone-${RCLONE.version.slice(1)}`, progress, async (part) => {
    const base = { cwd: part, progress, tool, timeoutMs: 20 * 60_000, env: { GOFLAGS: '-mod=mod -buildvcs=false' } };
    await writeFile(join(part, 'main.go'), RCLONE_MAIN);
    await run(go, ['mod', 'init', 'longhaul.local/rclone'], base);
    await run(go, ['get', `${RCLONE.module}@${RCLONE.version}`], { ...base, step: 'downloading Go modules' });
    await run(go, ['build', '-trimpath', '-o', tool, '.'], { ...base, step: 'compiling' });
  });
  return join(directory, tool);
}
