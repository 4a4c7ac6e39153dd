/**
 * Python, and packages from PyPI in folders of their own.
 *
 * @module
 */
import { join } from 'node:path';
import { type Progress, ToolError } from './progress.ts';
import { attempt, compareVersions, lastLines, onPath, run, versionOf } from './run.ts';

export interface PythonTool {
  path: string;
  version: string;
}

const LEAST_PYTHON = '3.9';
const REMEDY = `install Python ${LEAST_PYTHON} or later with venv (Debian, Ubuntu: apt-get install python3-venv; macOS: brew install python)`;

/** The first python on PATH that is new enough and has venv; undefined when there is none. */
export async function findPython(): Promise<PythonTool | undefined> {
  for (const name of ['python3', 'python']) {
    const path = onPath(name);
    if (path === undefined) continue;
    const version = await versionOf(path, ['-c', 'import sys, venv; print(sys.version)'], /^(\d+\.\d+\.\d+)/m);
    if (version !== undefined && compareVersions(version, LEAST_PYTHON) >= 0) return { path, version };
  }
  return undefined;
}

export async function python(progress: Progress): Promise<PythonTool> {
  const found = await findPython();
  if (found === undefined) {
    throw new ToolError('python', `no Python ${LEAST_PYTHON} or later with venv on PATH`, {
      tried: ['python3', 'python'],
      remedy: REMEDY,
    });
  }
  progress({ tool: 'python', step: `found: ${found.version}`, detail: found.path });
  return found;
}

/**
 * Makes a virtual environment and installs pinned packages into it, ready-built ones where there are.
 *
 * Debian ships Python without ensurepip; then the environment is made without pip and the outer pip, where there is
 * one, installs into it.
 */
export async function makeVenv(
  tool: string,
  directory: string,
  packages: readonly string[],
  progress: Progress,
  remedy: string,
): Promise<void> {
  const { path } = await python(progress);
  const base = { tool, progress, timeoutMs: 10 * 60_000 };
  const inner = join(directory, 'bin', 'python');
  const install = ['install', '--no-input', '--disable-pip-version-check', '--prefer-binary', ...packages];
  const withPip = await attempt(path, ['-m', 'venv', directory], { ...base, step: 'making a virtual environment' });
  const step = `installing ${packages.join(' ')}`;
  if (withPip.code === 0) {
    const installed = await attempt(inner, ['-m', 'pip', ...install], { ...base, step });
    if (installed.code === 0) return;
    throw new ToolError(tool, 'its packages could not be installed', { tried: [lastLines(installed.output)], remedy });
  }
  await run(path, ['-m', 'venv', '--clear', '--without-pip', directory], {
    ...base,
    step: 'making a virtual environment',
  });
  const outer = await attempt(path, ['-m', 'pip', '--python', inner, ...install], { ...base, step });
  if (outer.code === 0) return;
  throw new ToolError(tool, 'this Python cannot install packages', {
    tried: [`${path} -m venv: ${lastLines(withPip.output)}`, `${path} -m pip: ${lastLines(outer.output)}`],
    remedy: `${REMEDY}; ${remedy}`,
  });
}

/** Downloads one wheel into `directory` without installing it. */
export async function downloadWheel(
  tool: string,
  requirement: string,
  directory: string,
  progress: Progress,
): Promise<void> {
  const { path } = await python(progress);
  const options = ['--no-input', '--disable-pip-version-check', '--no-deps', '--only-binary', ':all:'];
  const base = { tool, progress, timeoutMs: 10 * 60_000, step: `downloading ${requirement}` };
  const args = ['-m', 'pip', 'download', ...options, '--dest', directory, requirement];
  const direct = await attempt(path, args, base);
  if (direct.code === 0) return;
  // A Python without pip may still make an environment that has it.
  const venv = join(directory, 'venv');
  const made = await attempt(path, ['-m', 'venv', venv], base);
  const second = made.code === 0 ? await attempt(join(venv, 'bin', 'python'), args, base) : made;
  if (second.code === 0) return;
  throw new ToolError(tool, `${requirement} could not be downloaded`, {
    tried: [
      `${path} -m pip download: ${lastLines(direct.output)}`,
      `with a virtual environment: ${lastLines(second.output)}`,
    ],
    remedy: REMEDY,
  });
}
