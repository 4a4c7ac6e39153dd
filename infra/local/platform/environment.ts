/**
 * The settings by which workers, command line and SDKs find the platform, and the clean environment its own children
 * get.
 *
 * @module
 */

/** The names the ecosystem's own tools read. */
export interface PlatformEnvironment extends Record<string, string> {
  TEMPORAL_ADDRESS: string;
  TEMPORAL_NAMESPACE: string;
  AWS_ENDPOINT_URL: string;
  AWS_ENDPOINT_URL_S3_CONTROL: string;
  AWS_REGION: string;
  AWS_ACCESS_KEY_ID: string;
  AWS_SECRET_ACCESS_KEY: string;
  OPENAI_BASE_URL: string;
  OPENAI_API_KEY: string;
}

export function environmentFor(
  temporalAddress: string,
  namespace: string,
  awsUrl: string,
  openaiUrl: string,
): PlatformEnvironment {
  return {
    TEMPORAL_ADDRESS: temporalAddress,
    TEMPORAL_NAMESPACE: namespace,
    AWS_ENDPOINT_URL: awsUrl,
    // The client puts the account's id before the host, which an IP address does not bear: see lib/loopback-names.ts.
    AWS_ENDPOINT_URL_S3_CONTROL: awsUrl.replace('127.0.0.1', 'localhost'),
    AWS_REGION: 'us-east-1',
    // Not secret: the stand-ins only tell callers apart by them. DynamoDB Local takes letters and digits.
    AWS_ACCESS_KEY_ID: 'longhaul',
    AWS_SECRET_ACCESS_KEY: 'longhaul',
    AWS_EC2_METADATA_DISABLED: 'true',
    OPENAI_BASE_URL: `${openaiUrl}/v1`,
    // Nobody's key: it only looks like one.
    OPENAI_API_KEY: 'sk-longhaul-stand-in',
  };
}

/**
 * The caller's environment without any AWS_*, OPENAI_* and TEMPORAL_* setting of the caller's own, so that no child can
 * ever reach, or spend from, a real account by a profile, a token or a key that happens to be set; with loopback excepted
 * from proxies.
 */
export function childEnvironment(
  platform: Record<string, string>,
  extra: Record<string, string> = {},
  base: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  const kept = Object.entries(base).filter(([name]) => !/^(AWS|OPENAI|TEMPORAL)_/.test(name));
  const direct = [base.NO_PROXY ?? base.no_proxy, '127.0.0.1', 'localhost'].filter(Boolean).join(',');
  return { ...Object.fromEntries(kept), NO_PROXY: direct, no_proxy: direct, ...platform, ...extra };
}
