/**
 * A peer's program from start to end: wall time, and the most memory it and its children held.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface PeerRun {
  seconds: number;
  /** Largest resident set of any one process, in MiB (GNU time's maximum resident set size). */
  peakMiB: number;
}

/** @throws Error with the last lines of its output when it does not end with 0 */
export async function runPeer(
  argv: readonly string[],
  options: { cwd: string; env: Readonly<Record<string, string>> },
): Promise<PeerRun> {
  const begun = performance.now();
  // The watcher costs nothing that could be measured: it asks the kernel at the end.
  const usage = join(options.cwd, '.usage');
  const watch =
    'import json,resource,subprocess,sys; code=subprocess.call(sys.argv[2:]); json.dump(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, open(sys.argv[1],"w")); sys.exit(code)';
  const child = spawn('python3', ['-c', watch, usage, ...argv], { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  const seconds = (performance.now() - begun) / 1000;
  if (code !== 0) {
    const text = Buffer.concat(chunks).toString('utf8');
    throw new Error(`${argv[0]} ended with ${code}: ${text.split('\n').slice(-25).join('\n')}`);
  }
  return { seconds, peakMiB: Math.round(Number(await readFile(usage, 'utf8')) / 1024) };
}
