/**
 * How `main` is started: as it is, or in its image by Docker or Apptainer. The image is untouched: what is its command
 * in a container of Amazon ECS is its command here too. Pure.
 *
 * @module
 */
import { isFileOrAddress } from '../lib/images/reference.ts';
import { SHARED_PATH, WORK_PATH } from '../workflows/launch/manifest.ts';
import { JOB_ENVIRONMENT } from '../workflows/launch/model.ts';

export const RUNTIMES = ['none', 'docker', 'apptainer'] as const;
export type Runtime = (typeof RUNTIMES)[number];

export interface Launching {
  runtime: Runtime;
  argv: readonly string[];
  /** main's own variables. */
  environment: Readonly<Record<string, string>>;
  /** What the job program itself has; it is not main's in a container. */
  inherited: Readonly<Record<string, string | undefined>>;
  image: string;
  work: string;
  shared?: string;
  /** Names the container. */
  name: string;
  memoryMiB?: number;
  vcpus?: number;
}

export interface Command {
  program: string;
  args: string[];
  env: Record<string, string | undefined>;
}

export function commandOf(launching: Launching): Command {
  switch (launching.runtime) {
    case 'docker':
      return docker(launching);
    case 'apptainer':
      return apptainer(launching);
    case 'none':
      return plain(launching);
  }
}

/** The plan speaks of the mount inside containers; here the folder is another for each job. */
export const inWork = (work: string, word: string): string =>
  word === WORK_PATH || word.startsWith(`${WORK_PATH}/`) ? work + word.slice(WORK_PATH.length) : word;

function plain({ argv, environment, inherited, work }: Launching): Command {
  const [program = '', ...args] = argv.map((word) => inWork(work, word));
  const changed = Object.entries(environment).map(([name, value]) => [name, inWork(work, value)]);
  return { program, args, env: { ...inherited, ...Object.fromEntries(changed), [JOB_ENVIRONMENT.work]: work } };
}

/** Where containers have it on every service, and where the host has it: there the links lead that stage has made. */
const sharedMounts = (shared: string | undefined): string[] =>
  shared === undefined ? [] : [...new Set([SHARED_PATH, shared])].map((place) => `${shared}:${place}`);

function docker({ argv, environment, inherited, image, work, shared, name, memoryMiB, vcpus }: Launching): Command {
  const inside = Object.entries({ ...environment, [JOB_ENVIRONMENT.work]: WORK_PATH });
  return {
    program: 'docker',
    args: [
      ['run', '--name', name, '--volume', `${work}:${WORK_PATH}`],
      sharedMounts(shared).flatMap((mount) => ['--volume', mount]),
      memoryMiB === undefined ? [] : ['--memory', `${memoryMiB}m`, '--memory-swap', `${memoryMiB}m`],
      vcpus === undefined ? [] : ['--cpus', String(vcpus)],
      // Not in Docker's own environment: a step's PATH is not Docker's.
      inside.flatMap(([variable, value]) => ['--env', `${variable}=${value}`]),
      [image, ...argv],
    ].flat(),
    env: { ...inherited },
  };
}

/** `run` and not `exec`: the image's ENTRYPOINT counts. Variables with this prefix are set in the container. */
function apptainer({ argv, environment, inherited, image, work, shared }: Launching): Command {
  const inside = Object.entries({ ...environment, [JOB_ENVIRONMENT.work]: WORK_PATH });
  return {
    program: 'apptainer',
    args: [
      ['run', '--contain', '--cleanenv', '--no-home', '--writable-tmpfs', '--bind', `${work}:${WORK_PATH}`],
      sharedMounts(shared).flatMap((mount) => ['--bind', mount]),
      [isFileOrAddress(image) ? image : `docker://${image}`, ...argv],
    ].flat(),
    env: { ...inherited, ...Object.fromEntries(inside.map(([name, value]) => [`APPTAINERENV_${name}`, value])) },
  };
}
