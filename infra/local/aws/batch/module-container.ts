/**
 * A container whose image is a module: it runs inside the stand-in. It has no memory of its own to be limited, and ends
 * by its signal alone.
 *
 * @module
 */
import { pathToFileURL } from 'node:url';
import { ContainerError, type ModuleRun } from './images.ts';
import type { ContainerEnd, RunningContainer } from './running-container.ts';

/** 128 + SIGTERM and 128 + SIGKILL. */
const STOPPED = 143;
const KILLED = 137;

/** @throws ContainerError when there is no such module */
export async function startModule(options: {
  module: string;
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
  say(line: string): void;
}): Promise<RunningContainer> {
  const { run } = (await import(pathToFileURL(options.module).href).catch((error: Error) => {
    throw new ContainerError(`CannotStartContainerError: ${error.message}`);
  })) as { run: ModuleRun };
  const abort = new AbortController();
  const ending = new Promise<ContainerEnd>((resolve) => {
    abort.signal.addEventListener('abort', () => resolve({ exitCode: Number(abort.signal.reason) }), { once: true });
  });
  const ran = run({ ...options, signal: abort.signal }).then(
    (exitCode) => ({ exitCode }),
    (error: unknown) => {
      options.say(String(error));
      return { exitCode: 1 };
    },
  );
  return {
    ended: Promise.race([ran, ending]),
    stop: () => abort.abort(STOPPED),
    kill: () => abort.abort(KILLED),
  };
}
