/**
 * Starts containers' processes from a small process of its own. To start a process is to fork, and to fork is to copy the
 * tables of all memory: from the stand-in itself that took ten times as long, while everything else waited.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { HEADER_BYTES, LAUNCHER_PROGRAM, type LauncherMessage, type StartMessage } from './launcher-program.ts';

export interface LaunchedProcess {
  pid: number;
  /** Code, or signal, of its end. */
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

interface Pending {
  sockets: Set<Socket>;
  output: (stream: Readable) => void;
  pid?: number;
  over?: boolean;
  started(): void;
  failed(reason: Error): void;
  ended(end: { code: number | null; signal: NodeJS.Signals | null }): void;
}

export class Launcher {
  readonly #known = new Map<string, Pending>();
  #child: ChildProcess | undefined;
  #server: Server | undefined;
  #folder = '';
  #opening: Promise<void> | undefined;

  /**
   * @param output takes each of the two streams the process writes to, at once: one that has ended unread tells nobody
   * @throws Error when the process could not be started
   */
  async start(message: StartMessage, output: (stream: Readable) => void): Promise<LaunchedProcess> {
    await this.#open();
    let ended: Pending['ended'] = () => {};
    const exited = new Promise<Parameters<Pending['ended']>[0]>((resolve) => {
      ended = resolve;
    });
    const pending: Pending = { sockets: new Set(), output, started: () => {}, failed: () => {}, ended };
    this.#known.set(message.id, pending);
    await new Promise<void>((resolve, reject) => {
      pending.started = resolve;
      pending.failed = reject;
      this.#child?.send(message, (error) => error && this.#failed(message.id, error));
    });
    return { pid: pending.pid ?? 0, exited };
  }

  close(): void {
    this.#child?.disconnect();
    this.#child = undefined;
    this.#server?.close();
    this.#server = undefined;
    this.#opening = undefined;
    if (this.#folder !== '') rmSync(this.#folder, { recursive: true, force: true });
    this.#folder = '';
  }

  /** At the first container, and again should the launcher have died. */
  #open(): Promise<void> {
    this.#opening ??= this.#listen().then(() => {
      const child = spawn(process.execPath, ['-e', LAUNCHER_PROGRAM, join(this.#folder, 's')], {
        env: {},
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      });
      child.on('message', (message) => this.#told(message as LauncherMessage));
      child.once('error', (error) => this.#gone(child, error));
      child.once('exit', () => this.#gone(child, new Error('the launcher of containers has ended')));
      child.unref();
      child.channel?.unref();
      this.#child = child;
    });
    return this.#opening;
  }

  /** A short path: the address of a socket holds a hundred bytes only. */
  async #listen(): Promise<void> {
    if (this.#server) return;
    this.#folder = mkdtempSync(join(tmpdir(), 'longhaul-'));
    const server = createServer({ pauseOnConnect: false }, (socket) => this.#connected(socket));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(join(this.#folder, 's'), resolve);
    });
    server.unref();
  }

  #connected(socket: Socket): void {
    const read = () => {
      const id = (socket.read(HEADER_BYTES) as Buffer | null)?.toString('latin1');
      if (id === undefined) return;
      socket.off('readable', read);
      const pending = this.#known.get(id);
      if (!pending) return void socket.destroy();
      pending.sockets.add(socket);
      pending.output(socket);
      this.#startedWhenWhole(id, pending);
    };
    socket.on('readable', read);
    socket.on('error', () => {});
  }

  #told(message: LauncherMessage): void {
    const pending = this.#known.get(message.id);
    if (!pending) return;
    if ('error' in message) this.#failed(message.id, new Error(message.error));
    else if ('pid' in message) {
      pending.pid = message.pid;
      this.#startedWhenWhole(message.id, pending);
    } else {
      pending.ended({ code: message.code, signal: message.signal });
      pending.over = true;
      this.#startedWhenWhole(message.id, pending);
    }
  }

  /** Sockets and messages take ways of their own: a short process may have been told to be over before it is whole here. */
  #startedWhenWhole(id: string, { sockets, pid, started, over }: Pending): void {
    if (pid === undefined || sockets.size < 2) return;
    started();
    if (over) this.#known.delete(id);
  }

  #failed(id: string, error: Error): void {
    const pending = this.#known.get(id);
    this.#known.delete(id);
    for (const socket of pending?.sockets ?? []) socket.destroy();
    pending?.failed(error);
  }

  /** Its containers went with it: their leashes are broken. */
  #gone(child: ChildProcess, reason: Error): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    this.#opening = undefined;
    for (const [id, pending] of [...this.#known]) {
      this.#failed(id, reason);
      pending.ended({ code: null, signal: 'SIGKILL' });
    }
  }
}
