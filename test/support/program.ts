/**
 * Test programs as processes of their own, asked by name over IPC: `startProgram` on this side, `answer` on theirs.
 *
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { packageRoot } from '../../infra/local/platform/root.ts';

export interface Program {
  pid: number;
  /** @throws Error with what the program threw, or that it has ended */
  call<Answer>(method: string, ...args: unknown[]): Promise<Answer>;
  /** @param signal SIGKILL: dies at once; SIGSTOP and SIGCONT: falls asleep and wakes */
  signal(signal: NodeJS.Signals): void;
  /** Kills it, and waits until it has gone. */
  kill(): Promise<void>;
  /** Lines of its output so far, the last 200. */
  readonly output: readonly string[];
}

type Question = { id: number; method: string; args: unknown[] };
type Answer = { id: number; answer?: unknown; error?: string };

const built = new Map<string, Promise<string>>();

/** Dependencies stay outside, so it has to lie where they are found. */
function bundled(source: string): Promise<string> {
  const there = built.get(source);
  if (there) return there;
  const outfile = join(packageRoot(), 'dist', 'programs', `${basename(source, '.ts')}.${process.pid}.js`);
  const made = build({
    entryPoints: [join(packageRoot(), source)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'warning',
    define: { LONGHAUL_BUILT: 'true' },
  }).then(() => outfile);
  built.set(source, made);
  // Of this process only: another one may be of other code.
  process.once('exit', () => rmSync(outfile, { force: true }));
  return made;
}

/**
 * @param source of the program, from the repository's root; it calls {@link answer}
 * @param options.execArgv for Node, such as --expose-gc
 */
export async function startProgram(
  source: string,
  options: { execArgv?: readonly string[]; env?: Readonly<Record<string, string>> } = {},
): Promise<Program> {
  const child = fork(await bundled(source), {
    execArgv: [...(options.execArgv ?? [])],
    env: { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    serialization: 'advanced',
  });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output.push(...text.trimEnd().split('\n'));
      output.splice(0, output.length - 200);
    });
  }
  const waiting = new Map<number, { resolve(answer: unknown): void; reject(error: Error): void }>();
  let ids = 0;
  const gone = () => new Error(`${basename(source)} has ended:\n${output.slice(-15).join('\n')}`);
  child.on('message', ({ id, answer, error }: Answer) => {
    const asked = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) asked?.resolve(answer);
    else asked?.reject(new Error(`${basename(source)}: ${error}`));
  });
  child.once('exit', () => {
    for (const { reject } of waiting.values()) reject(gone());
    waiting.clear();
  });
  const program: Program = {
    pid: child.pid ?? 0,
    output,
    call: (method, ...args) =>
      new Promise((resolve, reject) => {
        if (!child.connected) return reject(gone());
        const question: Question = { id: ids++, method, args };
        waiting.set(question.id, { resolve: resolve as (answer: unknown) => void, reject });
        child.send(question, (error) => error && reject(gone()));
      }),
    signal: (signal) => void child.kill(signal),
    kill: () => end(child),
  };
  await program.call('ready');
  return program;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** Answers what the parent asks, and ends with it. */
export function answer(methods: Readonly<Record<string, (...args: never[]) => unknown>>): void {
  process.once('disconnect', () => process.exit(0));
  process.on('message', ({ id, method, args }: Question) => {
    const reply = (message: Answer) => process.send?.(message);
    Promise.resolve()
      .then(() => (method === 'ready' ? undefined : (methods[method] as (...args: unknown[]) => unknown)(...args)))
      .then(
        (answer) => reply({ id, answer }),
        (error: unknown) =>
          reply({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
      );
  });
}

/** Milliseconds of a clock that all processes of this machine share. */
export const machineMs = (): number => Number(process.hrtime.bigint()) / 1e6;

export interface MemoryUse {
  resident: number;
  /** Of JavaScript, and what it holds outside of the heap. */
  held: number;
}

/** Bytes after a collection; Node must have been started with --expose-gc. */
export function memoryUse(): MemoryUse {
  for (let nth = 0; nth < 3; nth += 1) globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { resident: rss, held: heapUsed + external };
}
