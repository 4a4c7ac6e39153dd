/**
 * A container whose image is a module: it runs inside the stand-in. It has no memory of its own to be limited, and ends
 * by its signal alone.
 *
 * @module
 */
import { pathToFileURL } from 'node:url';
import type { ContainerEnd, ContainerHost, RunningContainer } from './container.ts';
import { LOG_GROUP } from './container.ts';
import { ContainerError, type ModuleRun } from './images.ts';

/** 128 + SIGTERM and 128 + SIGKILL. */
const STOPPED = 143;
const KILLED = 137;

/** @throws ContainerError when there is no such module */
export async function startModule(
  host: ContainerHost,
  options: { module: string; argv: readonly string[]; env: Readonly<Record<string, string>>; logStream: string },
): Promise<RunningContainer> {
  const { run } = (await import(pathToFileURL(options.module).href).catch((error: Error) => {
    throw new ContainerError(`CannotStartContainerError: ${error.message}`);
  })) as { run: ModuleRun };
  const abort = new AbortController();
  const say = (message: string) =>
    host.logs.append(LOG_GROUP, options.logStream, [{ timestamp: host.clock.now(), message }]);
  const ending = new Promise<ContainerEnd>((resolve) => {
    abort.signal.addEventListener('abort', () => resolve({ exitCode: Number(abort.signal.reason) }), { once: true });
  });
  const ran = run({ argv: options.argv, env: options.env, say, signal: abort.signal }).then(
    (exitCode) => ({ exitCode }),
    (error: unknown) => {
      say(String(error));
      return { exitCode: 1 };
    },
  );
  return {
    ended: Promise.race([ran, ending]),
    stop: () => abort.abort(STOPPED),
    kill: () => abort.abort(KILLED),
  };
}
