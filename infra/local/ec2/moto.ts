/**
 * EC2's API by moto, in a process of its own.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../platform/root.ts';
import { silent, tools } from '../tools/index.ts';

export interface Moto {
  url: string;
  close(): Promise<void>;
}

/** @param options.noCapacity instance types that cannot be had */
export async function openMoto({ noCapacity = [] }: { noCapacity?: readonly string[] } = {}): Promise<Moto> {
  const { python } = await tools.moto(silent);
  const program = join(packageRoot(), 'infra/local/ec2/moto_server.py');
  const child = spawn(python, [program, ...noCapacity], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const port = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).once('line', resolve);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`moto ended with ${code} before it was ready`)));
  });
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}
