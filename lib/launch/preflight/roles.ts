/**
 * Are the roles there, and may jobs run under them?
 *
 * @module
 */
import type { Finding } from '../../../workflows/launch/preflight.ts';
import { accessDenied } from '../../aws-errors.ts';
import { mayAssume, type Role, type RoleReader } from '../roles.ts';
import { type CheckInput, notAllowed } from './check.ts';

/** Who assumes task roles and execution roles (docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html). */
const TASKS = 'ecs-tasks.amazonaws.com';
const ROLE_ARN = /^arn:aws[a-z-]*:iam::\d{12}:role\/(?:.*\/)?([\w+=,.@-]{1,64})$/;

export async function checkRoles({ settings, beat }: CheckInput, roles: RoleReader): Promise<Finding[]> {
  const set = (['jobRole', 'executionRole'] as const).filter((at) => settings[at] !== '');
  const found = await Promise.all(
    set.map(async (at) => {
      beat();
      return checkRole(at, settings[at], roles);
    }),
  );
  return found.flatMap((finding) => finding ?? []);
}

async function checkRole(at: string, arn: string, roles: RoleReader): Promise<Finding | undefined> {
  const error = (message: string, remedy: string): Finding => ({ level: 'error', check: 'role', at, message, remedy });
  const name = ROLE_ARN.exec(arn)?.[1];
  if (name === undefined) {
    return error(`${arn} is not the ARN of a role`, 'set an ARN such as arn:aws:iam::123456789012:role/jobs');
  }
  let role: Role | undefined;
  try {
    role = await roles.read(name);
  } catch (thrown) {
    if (accessDenied(thrown)) return notAllowed('role', at, `the role ${arn}`, 'iam:GetRole');
    throw thrown;
  }
  if (!role) return error(`there is no role ${name} in this account`, 'create it, or set the ARN of one that is there');
  if (role.arn !== arn) {
    return error(
      `the role ${name} of this account is ${role.arn}, not ${arn}`,
      `set ${role.arn}, or the role you mean`,
    );
  }
  if (mayAssume(role.trustPolicy, TASKS)) return undefined;
  return error(
    `the trust policy of ${arn} does not let ${TASKS} assume it, so no job can start`,
    `allow sts:AssumeRole to the service ${TASKS} in its trust policy`,
  );
}
