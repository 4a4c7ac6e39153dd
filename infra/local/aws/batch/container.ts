/**
 * One container: its directories, environment and process, from start to the last line of its log.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { TaskContainerProperties, Volume } from '@aws-sdk/client-batch';
import type { Cancel, Clock } from '../../kit/clock.ts';
import type { LogPort } from '../ports.ts';
import { ContainerError, checkCommand, pullImage } from './images.ts';
import type { LaunchedProcess, Launcher } from './launcher.ts';
import { killGroup, killStray, leashed, signal } from './leash.ts';
import { writeLines } from './log-lines.ts';
import type { MemoryWatch, Watch } from './memory-watch.ts';
import { startModule } from './module-container.ts';
import { type Mount, translator } from './mounts.ts';
import type { ContainerEnd, RunningContainer } from './running-container.ts';

export const LOG_GROUP = '/aws/batch/job';
const BASE_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const OUT_OF_MEMORY = 'OutOfMemoryError: Container killed due to memory usage';
/** The container dies of signal n with exit code 128 + n. */
const SIGNALS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
};

/** What containers need of the stand-in. */
export interface ContainerHost {
  clock: Clock;
  logs: LogPort;
  memory: MemoryWatch;
  launcher: Launcher;
  imagesFile: string;
  /** Home of the file systems: `<efsDirectory>/<file system id>`. */
  efsDirectory: string;
  stopTimeoutMs: number;
}

export interface ContainerPlan {
  properties: TaskContainerProperties;
  /** What the service itself sets; the job's own environment cannot change it. */
  serviceEnvironment: Readonly<Record<string, string>>;
  /** Defaults as an instance with a role gives them. */
  hostEnvironment: Readonly<Record<string, string>>;
  memoryMiB: number | undefined;
  /** In the place of the image's, as Kubernetes allows it. */
  entrypoint?: readonly string[];
  logStream: string;
  volumes: readonly Volume[];
  /** The attempt's own directory. */
  scratch: string;
}

class Container implements RunningContainer {
  readonly #host: ContainerHost;
  readonly #pid: number;
  readonly #id: string;
  readonly #stopTimeoutMs: number;
  readonly #watch: Watch;
  #outOfMemory = false;
  #exited = false;
  #cancelKill: Cancel | undefined;
  /** Resolves once every process is gone and every line is written. */
  readonly ended: Promise<ContainerEnd>;

  constructor(
    host: ContainerHost,
    plan: ContainerPlan,
    launched: LaunchedProcess,
    more: { id: string; logged: readonly Promise<void>[] },
  ) {
    this.#host = host;
    this.#pid = launched.pid;
    this.#id = more.id;
    this.#stopTimeoutMs =
      plan.properties.stopTimeout === undefined ? host.stopTimeoutMs : plan.properties.stopTimeout * 1000;
    const limit = plan.memoryMiB === undefined ? undefined : plan.memoryMiB * 1024 * 1024;
    this.#watch = host.memory.add(this.#pid, limit, () => {
      this.#outOfMemory = true;
      killGroup(this.#pid);
    });
    this.ended = launched.exited.then(async ({ code, signal: name }) => {
      const exitCode = code ?? 128 + (SIGNALS[name ?? ''] ?? 0);
      this.#exited = true;
      this.kill();
      this.#cancelKill?.();
      await Promise.all(more.logged);
      return { exitCode, ...(this.#outOfMemory && { reason: OUT_OF_MEMORY }) };
    });
  }

  /** As `docker stop`: SIGTERM for the main process, SIGKILL for all when the time is over. */
  stop(): void {
    if (this.#cancelKill || this.#exited) return;
    signal(this.#pid, 'SIGTERM');
    this.#cancelKill = this.#host.clock.after(this.#stopTimeoutMs, () => this.kill());
  }

  kill(): void {
    killGroup(this.#pid);
    for (const pid of this.#watch.end()) killStray(pid, this.#id);
  }
}

/** @throws ContainerError whose message is the container's reason */
export async function startContainer(host: ContainerHost, plan: ContainerPlan): Promise<RunningContainer> {
  const { properties } = plan;
  const image = await pullImage(host.imagesFile, properties.image ?? '');
  const id = randomUUID();
  const cwd = join(plan.scratch, 'containers', id);
  const temporary = join(plan.scratch, 'tmp', id);
  // A module has no folder of its own to start in.
  const folders = image.module === undefined ? [cwd, temporary] : [];
  const [mounts] = await Promise.all([
    mount(host, plan),
    ...folders.map((folder) => mkdir(folder, { recursive: true })),
  ]);
  const translate = translator(mounts);
  const environment: Record<string, string> = {
    PATH: [...(image.path ?? []), BASE_PATH].join(':'),
    HOME: cwd,
    LANG: 'C.UTF-8',
    TMPDIR: temporary,
    ...plan.hostEnvironment,
    ...image.environment,
  };
  for (const { name, value } of properties.environment ?? []) {
    if (name) environment[name] = translate(value ?? '');
  }
  Object.assign(environment, plan.serviceEnvironment);
  const command = properties.command?.length || plan.entrypoint ? (properties.command ?? []) : (image.command ?? []);
  const argv = [...(plan.entrypoint ?? image.entrypoint ?? []), ...command].map(translate);
  const write = (lines: readonly string[]) => {
    const timestamp = host.clock.now();
    host.logs.append(
      LOG_GROUP,
      plan.logStream,
      lines.map((message) => ({ timestamp, message })),
    );
  };
  if (image.module !== undefined)
    return startModule({ module: image.module, argv, env: environment, say: (line) => write([line]) });
  checkCommand(argv, environment.PATH ?? '', cwd);
  const logged: Promise<void>[] = [];
  const launched = await host.launcher
    .start(leashed({ id, argv, env: environment, cwd }), (stream) => logged.push(writeLines(stream, write)))
    .catch((error: Error) => {
      throw new ContainerError(`CannotStartContainerError: ${error.message}`);
    });
  // The awslogs driver creates the stream with the container, before there is a line.
  write([]);
  return new Container(host, plan, launched, { id, logged });
}

/** @throws ContainerError for a host folder that is not there */
async function mount(host: ContainerHost, plan: ContainerPlan): Promise<Mount[]> {
  const mounts: Mount[] = [];
  for (const { sourceVolume, containerPath } of plan.properties.mountPoints ?? []) {
    const volume = plan.volumes.find(({ name }) => name === sourceVolume);
    if (volume && containerPath) mounts.push({ containerPath, hostPath: await hostPath(host, plan.scratch, volume) });
  }
  return mounts;
}

async function hostPath(host: ContainerHost, scratch: string, volume: Volume): Promise<string> {
  const { efsVolumeConfiguration: efs } = volume;
  const sourcePath = volume.host?.sourcePath;
  if (!efs && sourcePath) {
    if (
      await stat(sourcePath).then(
        (found) => found.isDirectory(),
        () => false,
      )
    )
      return sourcePath;
    throw new ContainerError(
      `CannotCreateContainerError: Error response from daemon: invalid mount config for type "bind": bind source path does not exist: ${sourcePath}`,
    );
  }
  const path = efs
    ? join(host.efsDirectory, efs.fileSystemId ?? '', efs.rootDirectory ?? '/')
    : join(scratch, 'volumes', volume.name ?? '');
  await mkdir(path, { recursive: true });
  return path;
}
