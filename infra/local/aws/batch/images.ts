/**
 * What a container image is on this machine: a JSON file maps image references to commands.
 *
 * @module
 */
import { accessSync, constants, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';

export interface Image {
  entrypoint?: readonly string[];
  command?: readonly string[];
  /** Directories put before PATH. */
  path?: readonly string[];
  environment?: Readonly<Record<string, string>>;
  /**
   * Instead of a process: a module whose `run` is called in the stand-in itself ({@link ModuleRun}). For loads of
   * thousands of jobs, which as processes would measure the machine.
   */
  module?: string;
}

/** @returns the exit code */
export type ModuleRun = (container: {
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
  say(line: string): void;
  signal: AbortSignal;
}) => Promise<number>;

/** A container that cannot be made or started; the message is the container's reason. */
export class ContainerError extends Error {
  override readonly name = 'ContainerError';
}

/** @throws ContainerError in the words of a failed pull */
export async function pullImage(file: string, reference: string): Promise<Image> {
  const images = JSON.parse(await readFile(file, 'utf8')) as Record<string, Image>;
  const image = Object.hasOwn(images, reference) ? images[reference] : undefined;
  if (image) return image;
  const full = /:[^/]+$|@/.test(reference) ? reference : `${reference}:latest`;
  throw new ContainerError(
    `CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref ${full}: ${full}: not found`,
  );
}

/** @throws ContainerError as Docker says it when there is nothing to run, or runc when it cannot be run */
export function checkCommand(argv: readonly string[], path: string, cwd: string): void {
  const [command] = argv;
  if (command === undefined) {
    throw new ContainerError('CannotCreateContainerError: Error response from daemon: no command specified');
  }
  const places = command.includes('/')
    ? [resolve(cwd, command)]
    : path.split(delimiter).map((place) => join(place, command));
  let problem = command.includes('/')
    ? `stat ${command}: no such file or directory`
    : 'executable file not found in $PATH';
  for (const place of places) {
    try {
      if (!statSync(place).isFile()) continue;
      accessSync(place, constants.X_OK);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EACCES') problem = 'permission denied';
    }
  }
  throw new ContainerError(
    'CannotStartContainerError: Error response from daemon: failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: ' +
      `exec: ${JSON.stringify(command)}: ${problem}: unknown`,
  );
}
