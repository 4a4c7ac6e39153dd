/**
 * The state directory: one platform's Temporal database, tables, objects, queues and logs. They only make sense
 * together, so a stamp says which version and which parts they are, and they are dropped together.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ToolError } from '../tools/progress.ts';

/** Raised whenever what is on disk can no longer be read by this code. */
const STATE_VERSION = 1;

interface Stamp {
  stateVersion: number;
  /** Sorted names of what holds state; a server of the user's own is `temporal: <address>`. */
  parts: string[];
  createdAt: string;
  /** All parts have been on disk together: the platform came up once. */
  complete: boolean;
}

/** Everything a platform writes. Dropping removes these and nothing else, should the directory be a wrong one. */
const OWN_ENTRIES =
  /^(aws|dynamodb|dynamodb\.xml|logs|tmp|temporal\.db.*|images\.json|platform\.json|state\.json|start\.lock.*|story-link\.key)$/;

function checkName(name: string): string {
  if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(name)) {
    throw new RangeError(
      `a platform's name has 1 to 32 lower-case letters, digits and hyphens: ${JSON.stringify(name)}`,
    );
  }
  return name;
}

export function stateDirectoryOf(name: string, env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'longhaul', checkName(name));
}

/**
 * Creates the directory, or makes sure that what is in it fits.
 * @param parts files and folders, relative to the directory, that must survive together
 * @throws ToolError with the remedy when version or parts differ
 */
export async function openState(directory: string, parts: readonly string[]): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, 'state.json');
  const wanted = [...parts].sort();
  const stamp = await readStamp(file);
  if (stamp === undefined) {
    const strays = wanted.filter((part) => existsSync(join(directory, part)));
    if (strays.length > 0) throw unfit(directory, `there is ${strays.join(', ')} but no state.json`);
    await writeJson(file, {
      stateVersion: STATE_VERSION,
      parts: wanted,
      createdAt: new Date().toISOString(),
      complete: false,
    });
    return;
  }
  if (stamp.stateVersion !== STATE_VERSION) {
    throw unfit(directory, `it has state version ${stamp.stateVersion}, this code needs ${STATE_VERSION}`);
  }
  if (stamp.parts.join() !== wanted.join()) {
    throw unfit(directory, `it was made with ${stamp.parts.join(', ')}, now it would be ${wanted.join(', ')}`);
  }
  // One that is gone was removed by hand; the others would be about workflows, or tables, that no longer exist.
  const missing = stamp.parts.filter((part) => !isElsewhere(part) && !existsSync(join(directory, part)));
  if (stamp.complete && missing.length > 0) {
    throw unfit(directory, `${missing.join(', ')} was removed, the rest is still there`);
  }
}

/** A server of the user's own: nothing of it is in the directory. */
function isElsewhere(part: string): boolean {
  return part.includes(':');
}

/** To be called once everything runs, and with it every part is on disk. */
export async function completeState(directory: string): Promise<void> {
  const file = join(directory, 'state.json');
  const stamp = await readStamp(file);
  if (stamp && !stamp.complete) await writeJson(file, { ...stamp, complete: true });
}

function unfit(directory: string, why: string): ToolError {
  return new ToolError('platform', `the state in ${directory} does not fit: ${why}`, {
    remedy: 'drop all of it with `longhaul down --drop`, or choose another name or directory',
  });
}

async function readStamp(file: string): Promise<Stamp | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Stamp;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if (error instanceof SyntaxError) return { stateVersion: Number.NaN, parts: [], createdAt: '', complete: false };
    throw error;
  }
}

/** Removes what a platform writes; the directory itself too when nothing else is in it. */
export async function removeState(directory: string): Promise<void> {
  const entries = await readdir(directory).catch(() => [] as string[]);
  const own = entries.filter((entry) => OWN_ENTRIES.test(entry));
  // The stamp goes last: a removal that is cut short can then be told from a fresh directory.
  own.sort((a, b) => Number(a === 'state.json') - Number(b === 'state.json'));
  for (const entry of own) await rm(join(directory, entry), { recursive: true, force: true });
  await rmdir(directory).catch(() => {});
}

/** Written aside and renamed: a reader sees the old file or the new one. */
export async function writeJson(file: string, value: unknown): Promise<void> {
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  await rename(draft, file);
}
