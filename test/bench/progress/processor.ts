/**
 * What a process has used, as the kernel counts it.
 *
 * @module
 */
import { readFile } from 'node:fs/promises';

/** Clock ticks of /proc/<pid>/stat a second (proc(5)). */
const TICKS = 100;

/** Processor time so far, seconds; NaN where there is no /proc. */
export async function cpuSeconds(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
  // The command stands in brackets and may hold anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}
