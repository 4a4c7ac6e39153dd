/**
 * What a job gets when it names an image.
 *
 * @module
 */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { parseReference } from '../../../../lib/images/reference.ts';
import { type Image, readImages } from '../image-file.ts';
import { storedImages } from '../registry/images.ts';

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

/**
 * @param reference as it stands in the file, or `name@sha256:<digest>` of one that does, as the registry of the
 *   stand-ins has it; beside a digest a tag says nothing
 * @throws ContainerError in the words of a failed pull
 */
export async function pullImage(file: string, reference: string): Promise<Image> {
  const images = await readImages(file);
  const image = Object.hasOwn(images, reference) ? images[reference] : undefined;
  if (image) return image;
  const pinned = pullByDigest(images, reference);
  if (pinned) return pinned;
  const full = /:[^/]+$|@/.test(reference) ? reference : `${reference}:latest`;
  throw new ContainerError(
    `CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref ${full}: ${full}: not found`,
  );
}

function pullByDigest(images: Readonly<Record<string, Image>>, reference: string): Image | undefined {
  const wanted = parseReference(reference);
  if (wanted?.digest === undefined) return undefined;
  const known = storedImages(images).find(
    ({ registry, repository, manifest }) =>
      registry === wanted.registry && repository === wanted.repository && manifest.digest === wanted.digest,
  );
  return known?.image;
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
