/**
 * A Redis of one's own, from the distribution's package: on loopback, in a temporary folder, gone afterwards.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'redis';
import { silent, tools } from '../../../infra/local/tools/index.ts';
import { freePort } from '../../support/dynamodb.ts';

export interface Redis {
  port: number;
  close(): Promise<void>;
}

/** Appends to a file and syncs it every second, as its documentation advises for data that matters. */
export async function openRedis(): Promise<Redis> {
  const directory = await mkdtemp(join(tmpdir(), 'longhaul-redis-'));
  const port = await freePort();
  const settings = { port, bind: '127.0.0.1', dir: directory, save: '', appendonly: 'yes', appendfsync: 'everysec' };
  const argv = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const { path } = await tools.redisServer(silent);
  const child = spawn(path, argv, { stdio: 'ignore' });
  const exited = once(child, 'exit');
  const client = createClient({
    socket: { host: '127.0.0.1', port, reconnectStrategy: (retries) => (retries > 100 ? false : 50) },
  });
  client.on('error', () => {});
  await client.connect();
  client.destroy();
  return {
    port,
    async close() {
      child.kill('SIGTERM');
      await exited;
      await rm(directory, { recursive: true, force: true });
    },
  };
}
