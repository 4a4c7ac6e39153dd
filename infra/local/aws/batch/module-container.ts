/**
 * A container whose image is a module: it runs inside the stand-in, on a thread that all containers of the module share,
 * so that what they do does not hold the stand-in's answers up. It has no memory of its own to be limited, and ends by
 * its signal alone.
 *
 * @module
 */
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { ContainerError } from './images.ts';
import type { ContainerEnd, RunningContainer } from './running-container.ts';

/** 128 + SIGTERM and 128 + SIGKILL. */
const STOPPED = 143;
const KILLED = 137;

/** In the thread: `run` of the module for each container; what it says comes before its end. */
const THREAD = `
const { parentPort, workerData } = require('node:worker_threads');
const aborts = new Map();
parentPort.on('message', async ({ id, argv, env, abort }) => {
  if (abort !== undefined) return aborts.get(id)?.abort(abort);
  const say = (line) => parentPort.postMessage({ id, line });
  let run;
  try {
    ({ run } = await import(workerData));
  } catch (error) {
    return parentPort.postMessage({ id, unstarted: String(error?.message ?? error) });
  }
  parentPort.postMessage({ id, started: true });
  const controller = new AbortController();
  aborts.set(id, controller);
  const exitCode = await Promise.resolve()
    .then(() => run({ argv, env, say, signal: controller.signal }))
    .catch((error) => (say(String(error)), 1));
  aborts.delete(id);
  parentPort.postMessage({ id, exitCode });
});
`;

type Message = { id: number } & ({ line: string } | { unstarted: string } | { started: true } | { exitCode: number });

interface Waiting {
  say(line: string): void;
  begun(): void;
  refused(error: ContainerError): void;
  over(end: ContainerEnd): void;
}

interface Thread {
  worker: Worker;
  waiting: Map<number, Waiting>;
}

const threads = new Map<string, Thread>();
let lastId = 0;

/** @throws ContainerError when there is no such module */
export async function startModule(options: {
  module: string;
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
  say(line: string): void;
}): Promise<RunningContainer> {
  const { module, argv, env, say } = options;
  const { worker, waiting } = threads.get(module) ?? startThread(module);
  lastId += 1;
  const id = lastId;
  let over: (end: ContainerEnd) => void = () => {};
  const ended = new Promise<ContainerEnd>((resolve) => {
    over = resolve;
  });
  await new Promise<void>((begun, refused) => {
    waiting.set(id, { say, begun, refused, over });
    worker.postMessage({ id, argv, env });
  });
  const end = (exitCode: number) => {
    worker.postMessage({ id, abort: exitCode });
    over({ exitCode });
  };
  return { ended, stop: () => end(STOPPED), kill: () => end(KILLED) };
}

function startThread(module: string): Thread {
  const worker = new Worker(THREAD, { eval: true, workerData: pathToFileURL(module).href });
  const waiting = new Map<number, Waiting>();
  const thread = { worker, waiting };
  threads.set(module, thread);
  worker.on('message', (message: Message) => {
    const container = waiting.get(message.id);
    if ('line' in message) return container?.say(message.line);
    if ('started' in message) return container?.begun();
    waiting.delete(message.id);
    if ('exitCode' in message) container?.over({ exitCode: message.exitCode });
    else container?.refused(new ContainerError(`CannotStartContainerError: ${message.unstarted}`));
  });
  // As a process that dies: all who were in it end with 1. The next container gets a thread of its own.
  worker.on('error', (error) => console.error(`a container of ${module} has ended its thread`, error));
  worker.on('exit', () => {
    threads.delete(module);
    for (const { begun, over } of waiting.values()) {
      begun();
      over({ exitCode: 1 });
    }
  });
  // It must not keep the stand-in from ending.
  worker.unref();
  return thread;
}
