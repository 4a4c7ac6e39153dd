/**
 * Which instance this job runs on, by the instance metadata service (IMDSv2). Its cost cannot be asked for any more
 * once the instance is gone.
 *
 * @module
 */
import type { StartRecord } from './commit.ts';

/** The address is fixed by EC2. */
const ENDPOINT = 'http://169.254.169.254';
/** On Fargate nothing answers there; a job must not wait for that. */
const TIMEOUT_MS = 1_000;

/** @returns undefined where there is no instance to be found (Fargate, or metadata switched off) */
export async function readInstance(endpoint = ENDPOINT): Promise<StartRecord['instance'] | undefined> {
  try {
    const base = endpoint.replace(/\/$/, '');
    const token = await text(`${base}/latest/api/token`, {
      method: 'PUT',
      headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '60' },
    });
    const read = (path: string) =>
      text(`${base}/latest/meta-data/${path}`, { headers: { 'x-aws-ec2-metadata-token': token } });
    const [id, type, zone, lifecycle] = await Promise.all(
      ['instance-id', 'instance-type', 'placement/availability-zone', 'instance-life-cycle'].map(read),
    );
    return id && type && zone && lifecycle ? { id, type, zone, lifecycle } : undefined;
  } catch {
    return undefined;
  }
}

async function text(url: string, init: RequestInit): Promise<string> {
  const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return answer.text();
}
