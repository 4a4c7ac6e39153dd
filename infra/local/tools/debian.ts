/**
 * Programs of Debian that tests and benches drive, and nothing else does: found on PATH, else installed where this
 * process may.
 *
 * @module
 */
import { type Progress, ToolError } from './progress.ts';
import { attempt, lastLines, onPath } from './run.ts';

export interface DebianTool {
  path: string;
}

/** Reaching the package lists and fetching a browser of 100 MB. */
const TIMEOUT_MS = 10 * 60_000;
/** A lock that another installation holds, such as the machine's own upgrades. */
const LOCK = ['-o', 'DPkg::Lock::Timeout=120'];

/**
 * @param names of the program, the first found is taken
 * @throws ToolError where it is missing and cannot be installed: no apt-get, or not root
 */
async function debianProgram(
  names: readonly string[],
  aptPackage: string,
  needed: string,
  progress: Progress,
): Promise<DebianTool> {
  const found = () => names.flatMap((name) => onPath(name) ?? [])[0];
  const there = found();
  if (there) {
    progress({ tool: aptPackage, step: 'found on PATH', detail: there });
    return { path: there };
  }
  const remedy = `${needed}: apt-get install ${aptPackage}, or put one of ${names.join(', ')} on PATH`;
  const apt = onPath('apt-get');
  if (!apt || process.getuid?.() !== 0) {
    throw new ToolError(aptPackage, 'not found, and only root can install it by apt-get', { tried: names, remedy });
  }
  const options = { tool: aptPackage, progress, timeoutMs: TIMEOUT_MS, env: { DEBIAN_FRONTEND: 'noninteractive' } };
  const update = await attempt(apt, [...LOCK, 'update'], { ...options, step: 'reading package lists' });
  const install = await attempt(apt, [...LOCK, 'install', '-y', '--no-install-recommends', aptPackage], {
    ...options,
    step: 'installing by apt-get',
  });
  const path = found();
  if (!path) {
    const tried = [update, install].filter(({ code }) => code !== 0).map(({ output }) => lastLines(output, 5));
    throw new ToolError(aptPackage, 'apt-get could not install it', { tried, remedy });
  }
  progress({ tool: aptPackage, step: 'installed', detail: path });
  return { path };
}

/** A Chromium for the browser tests. */
export const chromium = (progress: Progress): Promise<DebianTool> =>
  debianProgram(
    ['chromium', 'chromium-browser', 'google-chrome'],
    'chromium',
    'the browser tests drive Chromium',
    progress,
  );

/** What Socket.IO's persistent adapter keeps its events in, for the bench that compares. */
export const redisServer = (progress: Progress): Promise<DebianTool> =>
  debianProgram(['redis-server'], 'redis-server', "the bench runs Socket.IO's Redis streams adapter", progress);
