/**
 * Python, and packages from PyPI in folders of their own.
 *
 * @module
 */
import { readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Progress, ToolError } from './progress.ts';
import { attempt, compareVersions, isExecutable, lastLines, onPath, run, versionOf } from './run.ts';

export interface PythonTool {
  path: string;
  version: string;
}

const LEAST_PYTHON = '3.9';
const REMEDY = `install Python ${LEAST_PYTHON} or later with venv (Debian, Ubuntu: apt-get install python3-venv; macOS: brew install python)`;

/** Minor versions that are looked for by name, the newest last: what is made for an older one may not be for those. */
const NAMED = [12, 13, 14];

/** The first python that is new enough and has venv; undefined when there is none. */
export async function findPython(least = LEAST_PYTHON): Promise<PythonTool | undefined> {
  const onThePath = ['python3', 'python'].flatMap((name) => onPath(name) ?? []);
  // A tool that wants a newer one than machines have by default: under its own name, or kept by a manager of versions.
  const others =
    least === LEAST_PYTHON ? [] : [...NAMED.flatMap((minor) => onPath(`python3.${minor}`) ?? []), ...managed()];
  for (const path of [...onThePath, ...others]) {
    const version = await versionOf(path, ['-c', 'import sys, venv; print(sys.version)'], /^(\d+\.\d+\.\d+)/m);
    if (version !== undefined && compareVersions(version, least) >= 0) return { path, version };
  }
  return undefined;
}

/** Pythons of pyenv, whose own commands refuse those that are not switched on, and of uv. */
function managed(): string[] {
  const { PYENV_ROOT, UV_PYTHON_INSTALL_DIR } = process.env;
  const pyenv = join(PYENV_ROOT ?? join(homedir(), '.pyenv'), 'versions');
  const uv = UV_PYTHON_INSTALL_DIR ?? join(homedir(), '.local', 'share', 'uv', 'python');
  return [pyenv, uv]
    .flatMap((folder) => foldersOf(folder).map((name) => join(folder, name, 'bin', 'python3')))
    .filter((path) => NAMED.some((minor) => path.includes(`3.${minor}.`)) && isExecutable(path));
}

function foldersOf(folder: string): string[] {
  try {
    return readdirSync(folder).toSorted();
  } catch {
    return [];
  }
}

export async function python(progress: Progress, least = LEAST_PYTHON): Promise<PythonTool> {
  const found = await findPython(least);
  if (found === undefined) {
    throw new ToolError('python', `no Python ${least} or later with venv`, {
      tried:
        least === LEAST_PYTHON
          ? ['python3', 'python']
          : ['python3', 'python', ...NAMED.map((minor) => `python3.${minor}`), 'versions of pyenv and of uv'],
      remedy:
        least === LEAST_PYTHON ? REMEDY : `install Python ${least} or later with venv, or "pyenv install ${least}"`,
    });
  }
  progress({ tool: 'python', step: `found: ${found.version}`, detail: found.path });
  return found;
}

/** Where most tools are content with any Python and what their packages ask for. */
export interface VenvNeeds {
  /** The least version of Python. */
  python?: string;
  /** Installed after the others, without what they ask for: their own bounds exclude what they run with. */
  alone?: readonly string[];
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
  needs: VenvNeeds = {},
): Promise<void> {
  const { path } = await python(progress, needs.python);
  const base = { tool, progress, timeoutMs: 10 * 60_000 };
  const inner = join(directory, 'bin', 'python');
  const install = ['install', '--no-input', '--disable-pip-version-check', '--prefer-binary'];
  const alone = needs.alone && [...install, '--no-deps', ...needs.alone];
  const withPip = await attempt(path, ['-m', 'venv', directory], { ...base, step: 'making a virtual environment' });
  const step = `installing ${packages.join(' ')}`;
  /** By the pip of one Python into the environment. */
  const installBy = async (python: string, into: readonly string[]) => {
    const installed = await attempt(python, ['-m', 'pip', ...into, ...install, ...packages], { ...base, step });
    if (installed.code !== 0 || !alone) return installed;
    return attempt(python, ['-m', 'pip', ...into, ...alone], { ...base, step });
  };
  if (withPip.code === 0) {
    const installed = await installBy(inner, []);
    if (installed.code === 0) return;
    throw new ToolError(tool, 'its packages could not be installed', { tried: [lastLines(installed.output)], remedy });
  }
  await run(path, ['-m', 'venv', '--clear', '--without-pip', directory], {
    ...base,
    step: 'making a virtual environment',
  });
  const outer = await installBy(path, ['--python', inner]);
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
