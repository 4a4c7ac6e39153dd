/**
 * Runs a command to its end, tells what it last said about once a second, and keeps the last lines for the error.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { atExit } from './at-exit.ts';
import { everySecond, type Progress } from './progress.ts';

export interface RunOptions {
  cwd?: string;
  /** Added to this process's own environment. */
  env?: Record<string, string>;
  /** Ends the command when it takes longer. */
  timeoutMs?: number;
  progress?: Progress;
  tool?: string;
  step?: string;
  /** Turns what was said so far into an event's detail; by default the last line. */
  describe?(lastLine: string, lines: number): Omit<Parameters<Progress>[0], 'tool' | 'step'>;
}

export interface RunResult {
  code: number;
  /** Both streams, line by line. */
  output: string;
}

class RunError extends Error {
  override readonly name = 'RunError';
}

const KEPT_LINES = 2000;

/** Never throws for an exit code; a command that cannot be started answers 127. */
export function attempt(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { progress, tool = command, step = 'running' } = options;
  const lines: string[] = [];
  let count = 0;
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const end = () => child.kill('SIGKILL');
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      count += 1;
      lines.push(line);
      if (lines.length > KEPT_LINES) lines.shift();
    });
  }
  const stopTelling = everySecond((seconds) => {
    const last = lines.at(-1)?.trim() ?? '';
    const said = options.describe?.(last, count) ?? { detail: last };
    progress?.({ tool, step, ...said, detail: [said.detail, `${seconds} s`].filter(Boolean).join(', ') });
  });
  const timer = options.timeoutMs && setTimeout(end, options.timeoutMs);
  const forget = atExit(end);
  return new Promise((resolve) => {
    const done = (code: number, problem?: string) => {
      stopTelling();
      clearTimeout(timer);
      forget();
      if (problem) lines.push(problem);
      resolve({ code, output: lines.join('\n') });
    };
    child.once('error', (error) => done(127, error.message));
    child.once('close', (code, signal) => done(code ?? 128, signal ? `ended by ${signal}` : undefined));
  });
}

/** @throws RunError with the command and its last lines when the exit code is not 0 */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, output } = await attempt(command, args, options);
  if (code !== 0) throw new RunError(`\`${[command, ...args].join(' ')}\` ended with ${code}\n${lastLines(output)}`);
  return output;
}

export function lastLines(text: string, count = 15): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}

/** The first executable of that name on PATH. */
export function onPath(name: string, path = process.env.PATH ?? ''): string | undefined {
  return path
    .split(delimiter)
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, name))
    .find(isExecutable);
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** What a program answers when asked for its version; undefined when it cannot be run. */
export async function versionOf(file: string, args: readonly string[], pattern: RegExp): Promise<string | undefined> {
  const { code, output } = await attempt(file, args, { timeoutMs: 15_000 });
  return code === 0 ? (pattern.exec(output)?.[1] ?? undefined) : undefined;
}

/** Compares dotted versions by their numbers: negative, 0 or positive. */
export function compareVersions(left: string, right: string): number {
  const [a, b] = [left, right].map((version) => version.split(/[.+_-]/).map((part) => Number.parseInt(part, 10) || 0));
  for (let index = 0; index < Math.max(a?.length ?? 0, b?.length ?? 0); index += 1) {
    const difference = (a?.[index] ?? 0) - (b?.[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
