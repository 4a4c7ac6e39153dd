/**
 * Roles of IAM, and who their trust policies let assume them.
 *
 * @module
 */
import type { IAMClient, IAMClientConfig } from '@aws-sdk/client-iam';

export interface Role {
  arn: string;
  /** JSON. */
  trustPolicy: string;
}

export interface RoleReader {
  /**
   * @returns undefined when there is no such role
   * @throws the SDK's error, also when the caller is not allowed to look
   */
  read(name: string): Promise<Role | undefined>;
  destroy(): void;
}

export function createRoleReader(config: IAMClientConfig = {}): RoleReader {
  let client: IAMClient | undefined;
  return {
    async read(name) {
      const { GetRoleCommand, IAMClient, NoSuchEntityException } = await import('@aws-sdk/client-iam');
      client ??= new IAMClient(config);
      try {
        const { Role } = await client.send(new GetRoleCommand({ RoleName: name }));
        // IAM gives the policy URL-encoded.
        return { arn: Role?.Arn ?? '', trustPolicy: decodeURIComponent(Role?.AssumeRolePolicyDocument ?? '') };
      } catch (error) {
        if (error instanceof NoSuchEntityException) return undefined;
        throw error;
      }
    },
    destroy: () => client?.destroy(),
  };
}

type OneOrMore = string | readonly string[] | undefined;

interface Statement {
  Effect?: string;
  Principal?: string | { Service?: OneOrMore };
  Action?: OneOrMore;
  Condition?: unknown;
}

/**
 * Whether a trust policy lets a service assume the role. Conditions are not judged: what they compare is known at the
 * time of the call only. So a statement that allows counts with its conditions, one that denies without any only.
 */
export function mayAssume(trustPolicy: string, service: string): boolean {
  let policy: { Statement?: Statement | readonly Statement[] };
  try {
    policy = JSON.parse(trustPolicy) as typeof policy;
  } catch {
    return false;
  }
  const about = list(policy.Statement).filter(
    ({ Principal, Action }) => names(Principal, service) && list(Action).some(isAssume),
  );
  const denied = about.some(({ Effect, Condition }) => Effect === 'Deny' && Condition === undefined);
  return !denied && about.some(({ Effect }) => Effect === 'Allow');
}

function names(principal: Statement['Principal'], service: string): boolean {
  if (principal === '*') return true;
  return typeof principal === 'object' && list(principal.Service).some((name) => name === service || name === '*');
}

/** `sts:AssumeRole`, or a pattern of it; actions do not tell case apart. */
function isAssume(action: string): boolean {
  const pattern = action
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${pattern}$`, 'i').test('sts:AssumeRole');
}

const list = <T>(value: T | readonly T[] | undefined): readonly T[] =>
  value === undefined ? [] : Array.isArray(value) ? (value as readonly T[]) : [value as T];
