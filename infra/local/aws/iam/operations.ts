/**
 * CreateRole, GetRole, ListRoles, DeleteRole.
 *
 * @module
 */
import type { QueryOperation, QueryParameters } from '../../kit/query-protocol.ts';
import { AwsError } from '../../kit/service.ts';
import type { XmlObject } from '../../kit/xml.ts';
import type { Role, RoleStore } from './store.ts';

const NAME = /^[\w+=,.@-]{1,64}$/;
const PATH = /^\/([\u0021-\u007e]+\/)?$/;
/** IAM's quota of a trust policy, white space not counted. */
const MOST_POLICY_CHARACTERS = 2048;
const MOST_ITEMS = 1000;
const DEFAULT_ITEMS = 100;
/** Seconds: IAM's bounds and default of a role's session. */
const SESSION = { least: 3600, most: 43_200 };

const invalid = (message: string) => new AwsError('ValidationError', message);
const subject = (input: QueryParameters) => input.get('RoleName') ?? '';

export function roleOperations(store: RoleStore): Record<string, QueryOperation> {
  return {
    CreateRole: {
      knows: /^(RoleName|Path|AssumeRolePolicyDocument|Description|MaxSessionDuration)$/,
      subject,
      run(input) {
        const name = readName(input);
        const path = input.get('Path') ?? '/';
        if (!PATH.test(path)) throw invalid('The specified value for path is invalid.');
        const trustPolicy = readPolicy(input);
        const description = input.get('Description');
        if (description !== undefined && description.length > 1000) {
          throw invalid("Value at 'description' failed to satisfy constraint: at most 1000 characters");
        }
        const maxSessionDuration = readInteger(input, 'MaxSessionDuration', SESSION.least, SESSION.most, SESSION.least);
        if (store.find(name)) throw new AwsError('EntityAlreadyExists', `Role with name ${name} already exists.`, 409);
        const role = store.create({
          name,
          path,
          trustPolicy,
          maxSessionDuration,
          ...(description !== undefined && { description }),
        });
        return { Role: view(role) };
      },
    },
    GetRole: { knows: /^RoleName$/, subject, run: (input) => ({ Role: view(existing(store, input)) }) },
    DeleteRole: {
      knows: /^RoleName$/,
      subject,
      run(input) {
        store.end(existing(store, input).name);
        return {};
      },
    },
    ListRoles: {
      knows: /^(PathPrefix|Marker|MaxItems)$/,
      run(input) {
        const prefix = input.get('PathPrefix') ?? '/';
        const most = readInteger(input, 'MaxItems', 1, MOST_ITEMS, DEFAULT_ITEMS);
        const marker = input.get('Marker');
        const after = marker === undefined ? undefined : Buffer.from(marker, 'base64url').toString('utf8');
        const found = store.list().filter(({ path, name }) => path.startsWith(prefix) && (!after || name > after));
        const shown = found.slice(0, most);
        const more = found.length > shown.length;
        return {
          Roles: { member: shown.map(view) },
          IsTruncated: more,
          ...(more && { Marker: Buffer.from(shown.at(-1)?.name ?? '').toString('base64url') }),
        };
      },
    },
  };
}

function existing(store: RoleStore, input: QueryParameters): Role {
  const name = readName(input);
  const role = store.find(name);
  if (!role) throw new AwsError('NoSuchEntity', `The role with name ${name} cannot be found.`, 404);
  return role;
}

function readName(input: QueryParameters): string {
  const name = input.get('RoleName') ?? '';
  if (!NAME.test(name)) throw invalid('The specified value for roleName is invalid.');
  return name;
}

/** @throws AwsError MalformedPolicyDocument for what is no trust policy */
function readPolicy(input: QueryParameters): string {
  const text = input.get('AssumeRolePolicyDocument') ?? '';
  const malformed = (why: string) => new AwsError('MalformedPolicyDocument', why);
  let policy: unknown;
  try {
    policy = JSON.parse(text);
  } catch {
    throw malformed('This policy contains invalid Json');
  }
  if (text.replaceAll(/\s/g, '').length > MOST_POLICY_CHARACTERS) {
    throw new AwsError('LimitExceeded', `Cannot exceed quota for ACLSizePerRole: ${MOST_POLICY_CHARACTERS}`, 409);
  }
  const { Statement } = (policy ?? {}) as { Statement?: unknown };
  const statements = Array.isArray(Statement) ? (Statement as unknown[]) : [Statement];
  for (const statement of statements) {
    if (typeof statement !== 'object' || statement === null) throw malformed('Syntax error in policy.');
    const { Effect, Principal, NotPrincipal, Action, NotAction } = statement as Record<string, unknown>;
    if (Effect !== 'Allow' && Effect !== 'Deny') throw malformed('Syntax error in policy.');
    if (Principal === undefined && NotPrincipal === undefined) throw malformed('Missing required field Principal');
    if (Action === undefined && NotAction === undefined) throw malformed('Missing required field Action');
    if ('Resource' in statement) throw malformed('Has prohibited field Resource');
  }
  return text;
}

function readInteger(input: QueryParameters, name: string, least: number, most: number, fallback: number): number {
  const text = input.get(name);
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) {
    throw invalid(`Value '${text}' at '${name}' failed to satisfy constraint: between ${least} and ${most}`);
  }
  return value;
}

/** IAM gives policies back URL-encoded (RFC 3986, which reserves more than JavaScript does). */
const urlEncoded = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

function view(role: Role): XmlObject {
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.id,
    Arn: role.arn,
    CreateDate: role.createDate,
    AssumeRolePolicyDocument: urlEncoded(role.trustPolicy),
    Description: role.description,
    MaxSessionDuration: role.maxSessionDuration,
  };
}
