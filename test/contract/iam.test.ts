import {
  CreateRoleCommand,
  type CreateRoleCommandInput,
  DeleteRoleCommand,
  GetRoleCommand,
  IAMClient,
  ListRolesCommand,
  paginateListRoles,
} from '@aws-sdk/client-iam';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTarget, type Target } from './target.ts';

let target: Target;
let iam: IAMClient;
const made: string[] = [];

const POLICY = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    { Sid: 'Tasks', Effect: 'Allow', Principal: { Service: 'ecs-tasks.amazonaws.com' }, Action: 'sts:AssumeRole' },
  ],
});

async function create(more: Partial<CreateRoleCommandInput> = {}): Promise<string> {
  const RoleName = target.unique('role');
  await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: POLICY, ...more }));
  made.push(RoleName);
  return RoleName;
}

beforeAll(async () => {
  target = await openTarget();
  iam = new IAMClient(target.client);
});
afterAll(async () => {
  for (const RoleName of made) await iam.send(new DeleteRoleCommand({ RoleName }));
  iam.destroy();
  await target.close();
});

describe('a role', () => {
  it('is found as it was made, with its trust policy URL-encoded', async () => {
    const RoleName = await create({
      Path: '/longhaul/',
      Description: 'of a <test> & "more"',
      MaxSessionDuration: 7200,
    });

    const { Role } = await iam.send(new GetRoleCommand({ RoleName }));

    expect(Role).toMatchObject({
      RoleName,
      Path: '/longhaul/',
      Description: 'of a <test> & "more"',
      MaxSessionDuration: 7200,
      RoleId: expect.stringMatching(/^AROA[A-Z0-9]+$/),
      Arn: expect.stringMatching(new RegExp(`^arn:aws:iam::\\d{12}:role/longhaul/${RoleName}$`)),
      CreateDate: expect.any(Date),
    });
    expect(Role?.AssumeRolePolicyDocument).toMatch(/^%7B/);
    expect(JSON.parse(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? ''))).toEqual(JSON.parse(POLICY));
  });

  it('is made once', async () => {
    const RoleName = await create();

    await expect(iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: POLICY }))).rejects.toMatchObject(
      {
        name: 'EntityAlreadyExistsException',
        message: `Role with name ${RoleName} already exists.`,
        $metadata: { httpStatusCode: 409 },
      },
    );
  });

  it('that nobody has is no entity', async () => {
    const RoleName = target.unique('nobody');

    await expect(iam.send(new GetRoleCommand({ RoleName }))).rejects.toMatchObject({
      name: 'NoSuchEntityException',
      message: `The role with name ${RoleName} cannot be found.`,
      $metadata: { httpStatusCode: 404 },
    });
    await expect(iam.send(new DeleteRoleCommand({ RoleName }))).rejects.toMatchObject({
      name: 'NoSuchEntityException',
    });
  });

  it('is gone once it is deleted', async () => {
    const RoleName = await create();
    made.splice(made.indexOf(RoleName), 1);

    await iam.send(new DeleteRoleCommand({ RoleName }));

    await expect(iam.send(new GetRoleCommand({ RoleName }))).rejects.toMatchObject({ name: 'NoSuchEntityException' });
  });

  it.each<[string, Partial<CreateRoleCommandInput>, string]>([
    ['a policy that is no JSON', { AssumeRolePolicyDocument: '{' }, 'MalformedPolicyDocumentException'],
    [
      'a policy without a principal',
      { AssumeRolePolicyDocument: JSON.stringify({ Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole' }] }) },
      'MalformedPolicyDocumentException',
    ],
    ['a name with a slash', { RoleName: 'longhaul-contract/role' }, 'ValidationError'],
    ['a path without a slash', { Path: 'x' }, 'ValidationError'],
    ['a session of a minute', { MaxSessionDuration: 60 }, 'ValidationError'],
  ])('with %s is refused', async (_, input, name) => {
    await expect(create(input)).rejects.toMatchObject({ name, $metadata: { httpStatusCode: 400 } });
  });
});

describe('roles', () => {
  it('are listed below a path, page by page', async () => {
    const Path = `/${target.unique('path')}/`;
    const names = [await create({ Path }), await create({ Path }), await create({ Path })];

    const first = await iam.send(new ListRolesCommand({ PathPrefix: Path, MaxItems: 2 }));
    const found: string[] = [];
    for await (const page of paginateListRoles({ client: iam, pageSize: 2 }, { PathPrefix: Path })) {
      found.push(...(page.Roles ?? []).map(({ RoleName = '' }) => RoleName));
    }

    expect(first.IsTruncated).toBe(true);
    expect(found.toSorted()).toEqual(names.toSorted());
  });
});

describe.skipIf(process.env.LONGHAUL_VERIFY_AWS === '1')('the stand-in', () => {
  it('refuses what it does not have, and parameters it does not know', async () => {
    const RoleName = target.unique('role');
    const AssumeRolePolicyDocument = POLICY;
    const { ListUsersCommand } = await import('@aws-sdk/client-iam');

    await expect(iam.send(new ListUsersCommand({}))).rejects.toMatchObject({ name: 'InvalidAction' });
    await expect(
      iam.send(
        new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument, PermissionsBoundary: 'arn:aws:iam::aws:policy/x' }),
      ),
    ).rejects.toMatchObject({ name: 'ValidationError' });
  });
});
