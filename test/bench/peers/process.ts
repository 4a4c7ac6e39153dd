/**
 * A peer's program from start to end: wall time, processor time, and the most memory it and its
 * children held.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface PeerRun {
  seconds: number;
  /** Largest resident set of any one process, in MiB (GNU time's maximum resident set size). */
  peakMiB: number;
  /** Processor time of it and its children. */
  cpuSeconds: number;
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
    'import json,resource,subprocess,sys; code=subprocess.call(sys.argv[2:]); u=resource.getrusage(resource.RUSAGE_CHILDREN); json.dump([u.ru_maxrss, u.ru_utime+u.ru_stime], open(sys.argv[1],"w")); sys.exit(code)';
  const child = spawn('python3', ['-c', watch, usage, ...argv], { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  const seconds = (performance.now() - begun) / 1000;
  if (code !== 0) {
    const text = Buffer.concat(chunks).toString('utf8');
    throw new Error(`${argv[0]} ended with ${code}: ${text.split('\n').slice(-25).join('\n')}`);
  }
  const [peakKiB, cpuSeconds] = JSON.parse(await readFile(usage, 'utf8')) as [number, number];
  return { seconds, peakMiB: Math.round(peakKiB / 1024), cpuSeconds };
}

/** Clock ticks of /proc/<pid>/stat a second (proc(5)). */
const TICKS = 100;

/**
 * Processor time so far of all processes below this one, and of those they have waited for: of a platform whose servers
 * go on, by the difference. Linux only; NaN elsewhere.
 */
export async function cpuSecondsBelow(): Promise<number> {
  const found = await readdir('/proc').catch(() => undefined);
  if (!found) return Number.NaN;
  const below = new Map<number, { parent: number; ticks: number }>();
  for (const pid of found.map(Number).filter((number) => number > 0)) {
    const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
    // The command stands in brackets and may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    below.set(pid, { parent: Number(fields[1]), ticks });
  }
  const isBelow = (pid: number): boolean => {
    const parent = below.get(pid)?.parent;
    return parent !== undefined && (parent === process.pid || isBelow(parent));
  };
  let ticks = 0;
  for (const [pid, process] of below) if (isBelow(pid)) ticks += process.ticks;
  return ticks / TICKS;
}
