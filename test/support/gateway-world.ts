/**
 * One gateway over logs in its memory, as a process, for tests that do it harm.
 *
 * @module
 */
import { readFile } from 'node:fs/promises';
import type { Report, RunFacts } from '../../workflows/progress/model.ts';
import { type MemoryUse, startProgram } from './program.ts';
import type { GatewayStart } from './programs/gateway.ts';

export interface GatewayWorld {
  port: number;
  url: string;
  /** Appends a report; its source numbers itself. */
  tell(run: string, facts: Partial<RunFacts>, said?: Partial<Report>): Promise<unknown>;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<{ status: number; body: string }>;
  /** Resident bytes after a collection. */
  memory(): Promise<number>;
  /** As it is, in bytes, without asking the process. */
  resident(): Promise<number>;
  /** What the gateway has logged. */
  output(): readonly string[];
  close(): Promise<void>;
}

export const GATEWAY = 'test/support/programs/gateway.ts';

export async function openGatewayWorld(options: Omit<GatewayStart, 'port' | 'log'> = {}): Promise<GatewayWorld> {
  const program = await startProgram(GATEWAY, { execArgv: ['--expose-gc'] });
  const { port } = await program.call<{ port: number }>('start', { ...options, port: 0 });
  const url = `http://127.0.0.1:${port}`;
  return {
    port,
    url,
    tell: (run, facts, said = { kind: 'status', status: 'RUNNING' }) =>
      program.call('append', run, { domain: run.split('/')[0], ...facts }, said),
    async get(path, headers = {}) {
      const answer = await fetch(url + path, { headers });
      return { status: answer.status, body: await answer.text() };
    },
    memory: async () => (await program.call<MemoryUse>('memory')).resident,
    async resident() {
      const status = await readFile(`/proc/${program.pid}/status`, 'utf8');
      return 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
    },
    output: () => program.output,
    close: () => program.kill(),
  };
}
