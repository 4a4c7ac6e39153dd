/**
 * Which instance this job runs on, by the instance metadata service (IMDSv2). Its cost cannot be asked for any more
 * once the instance is gone.
 *
 * @module
 */
import type { StartRecord } from './commit.ts';
import { ask } from './metadata.ts';

/** The address is fixed by EC2. */
const ENDPOINT = 'http://169.254.169.254';
/** On Fargate nothing answers there; a job must not wait for that. */
const TIMEOUT_MS = 1_000;

/** https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-identity-documents.html */
interface IdentityDocument {
  instanceId?: string;
  instanceType?: string;
  availabilityZone?: string;
  architecture?: string;
  /** When it was launched. */
  pendingTime?: string;
}

/** @returns undefined where there is no instance to be found (Fargate, or metadata switched off) */
export async function readInstance(endpoint = ENDPOINT): Promise<StartRecord['instance'] | undefined> {
  try {
    const base = endpoint.replace(/\/$/, '');
    const within = { timeoutMs: TIMEOUT_MS };
    const token = await ask(`${base}/latest/api/token`, {
      ...within,
      method: 'PUT',
      headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '60' },
    });
    const read = (path: string) =>
      ask(`${base}/latest/${path}`, { ...within, headers: { 'x-aws-ec2-metadata-token': token } });
    // The document tells at once what would be three requests, but not the lifecycle.
    const [document, lifecycle] = await Promise.all(
      ['dynamic/instance-identity/document', 'meta-data/instance-life-cycle'].map(read),
    );
    const {
      instanceId: id,
      instanceType: type,
      availabilityZone: zone,
      architecture,
      pendingTime,
    } = JSON.parse(document ?? '') as IdentityDocument;
    if (!(id && type && zone && lifecycle)) return undefined;
    return {
      id,
      type,
      zone,
      lifecycle,
      ...(pendingTime !== undefined && { launchedAt: pendingTime }),
      ...(architecture !== undefined && { architecture }),
    };
  } catch {
    return undefined;
  }
}
