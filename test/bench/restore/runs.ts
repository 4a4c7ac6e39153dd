/**
 * One run of each side: ours through the workflow and its workers, rclone as a process; and what the stand-in saw of it.
 *
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRestore } from '../../../clients/restore/start.ts';
import { PROGRESS_QUERY, type RestoreProgress } from '../../../workflows/restore/model.ts';
import type { Longhaul } from '../../support/longhaul.ts';
import { runPeer } from '../peers/process.ts';
import type { Door } from './archived.ts';

export interface OurRestore {
  /** From the start of the workflow until everything has been asked for: found, planned, written down. */
  seconds: number;
  /** Of these, from the first request on. */
  requestingSeconds: number;
  completeSeconds: number;
  historyEvents: number;
}

/** @throws Error when it does not end COMPLETE */
export async function runOurs({ temporal }: Longhaul, bucket: string, prefix: string): Promise<OurRestore> {
  const restoreId = `bench-${prefix.replaceAll('/', '')}-${Date.now()}`;
  const begun = Date.now();
  const { workflowId } = await startRestore(temporal.client, {
    restoreId,
    sources: [`s3://${bucket}/${prefix}`],
    wishes: { tier: 'Standard', days: 1 },
  });
  const handle = temporal.client.workflow.getHandle(workflowId);
  await handle.result();
  const { statuses } = await handle.query<RestoreProgress>(PROGRESS_QUERY);
  const { REQUESTING: first = Number.NaN, RESTORING: asked = Number.NaN, COMPLETE: complete = Number.NaN } = statuses;
  return {
    seconds: (asked - begun) / 1000,
    requestingSeconds: (asked - first) / 1000,
    completeSeconds: (complete - begun) / 1000,
    historyEvents: Number((await handle.describe()).historyLength),
  };
}

/**
 * By nothing but the environment and options: no configuration file is read. Its command lists the bucket and asks for one
 * object after the other, whatever its --checkers.
 */
export async function runRclone(
  program: string,
  door: Door & { secretAccessKey: string },
  bucket: string,
  prefix: string,
): Promise<{ seconds: number }> {
  const cwd = await mkdtemp(join(tmpdir(), 'longhaul-rclone-'));
  try {
    const remote = `:s3:${bucket}/${prefix.replace(/\/$/, '')}`;
    const argv = ['backend', 'restore', remote, '-o', 'priority=Standard', '-o', 'lifetime=1'];
    return await runPeer([program, '--config=', ...argv], {
      cwd,
      env: {
        PATH: process.env.PATH ?? '',
        HOME: cwd,
        RCLONE_S3_PROVIDER: 'AWS',
        RCLONE_S3_ENDPOINT: door.url,
        RCLONE_S3_REGION: door.region,
        RCLONE_S3_FORCE_PATH_STYLE: 'true',
        RCLONE_S3_ACCESS_KEY_ID: door.accessKeyId,
        RCLONE_S3_SECRET_ACCESS_KEY: door.secretAccessKey,
      },
    });
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}

export interface AskedBy {
  calls: number;
  /** Requests that S3 took. */
  asked: number;
  throttledShare: number;
}

/**
 * RestoreObject calls below a prefix, by the stand-in's call log.
 * @throws Error when not exactly `expected` of them were taken
 */
export async function askedFor(
  longhaul: Longhaul,
  bucket: string,
  prefix: string,
  expected?: number,
): Promise<AskedBy> {
  const all = await longhaul.calls({ service: 's3', operation: 'RestoreObject' });
  const mine = all.filter(({ subject }) => subject.startsWith(`${bucket}/${prefix}`));
  const asked = mine.filter(({ status }) => status === 202).length;
  if (expected !== undefined && asked !== expected)
    throw new Error(`${asked} of ${expected} objects of ${prefix} were asked for`);
  const throttled = mine.filter(({ error }) => error === 'SlowDown').length;
  return { calls: mine.length, asked, throttledShare: throttled / mine.length };
}
