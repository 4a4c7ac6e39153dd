/**
 * What preflight asks besides S3 and AWS Batch. Each client is made at first use: most commands need none of them.
 *
 * @module
 */
import { createEcrReader } from '../../images/ecr.ts';
import { createImageResolver, type ImageResolver } from '../../images/resolve.ts';
import type { Settings } from '../../settings.ts';
import { createInstanceTypeReader, type InstanceTypeReader } from '../instance-types.ts';
import { createRoleReader, type RoleReader } from '../roles.ts';

export interface PreflightClients {
  images: ImageResolver;
  roles: RoleReader;
  instanceTypes: InstanceTypeReader;
  destroy(): void;
}

/** Settings of the SDK; without any they come from the environment. */
export interface ClientConfig {
  region?: string;
  endpoint?: string;
  credentials?: { accessKeyId: string; secretAccessKey: string };
  maxAttempts?: number;
}

/** Short retries here: the long ones are Temporal's. */
const RETRIES = { maxAttempts: 3 };

export function createPreflightClients(
  settings: Pick<Settings, 'imageRegistry'>,
  config: ClientConfig = {},
): PreflightClients {
  const own = { ...RETRIES, ...config };
  const ecr = createEcrReader(own);
  const roles = createRoleReader(own);
  const instanceTypes = createInstanceTypeReader(own);
  return {
    images: createImageResolver({ mirror: settings.imageRegistry, ecr }),
    roles,
    instanceTypes,
    destroy() {
      for (const reader of [ecr, roles, instanceTypes]) reader.destroy();
    },
  };
}
