/**
 * A gateway as its own process on a platform of a test.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../../infra/local/platform/root.ts';

export interface GatewayProgram {
  url: string;
  /** Without a word to anybody. */
  kill(): Promise<void>;
  close(): Promise<void>;
}

export async function startGatewayProgram(env: Record<string, string>, port = 0): Promise<GatewayProgram> {
  const child = spawn(process.execPath, [join(packageRoot(), 'dist/gateway.js')], {
    env: { ...process.env, ...env, LONGHAUL_GATEWAY_PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return { url: await addressOf(child), kill: () => end(child, 'SIGKILL'), close: () => end(child, 'SIGTERM') };
}

/** @throws Error with what it said, when it has ended instead */
async function addressOf(child: ChildProcess): Promise<string> {
  const said: string[] = [];
  if (!child.stdout || !child.stderr) throw new Error('no output');
  child.stderr.on('data', (text) => said.push(String(text)));
  for await (const line of createInterface(child.stdout)) {
    said.push(line);
    const { address } = (line.startsWith('{') ? JSON.parse(line) : {}) as { address?: string };
    if (address === undefined) continue;
    // Read on, or its output would fill up.
    child.stdout.resume();
    return address;
  }
  throw new Error(`the gateway has ended: ${said.join('\n')}`);
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}
