/** The roles of the IAM stand-in outlive its process, however that ends. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateRoleCommand, DeleteRoleCommand, GetRoleCommand, IAMClient, ListRolesCommand } from '@aws-sdk/client-iam';
import { expect, it, onTestFinished } from 'vitest';
import { createIam } from '../../infra/local/aws/iam/service.ts';
import { LOCAL_PLACE } from '../../infra/local/aws/ports.ts';
import { createKit, openFrontDoor } from '../../infra/local/kit/front-door.ts';
import { trustPolicy } from '../support/preflight-world.ts';

it('a role is as it was, and a deleted one stays deleted, after a process was killed', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'longhaul-iam-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  /** The ones opened before are left as a killed process leaves them. */
  const open = async () => {
    const kit = createKit();
    const door = await openFrontDoor(kit, [createIam({ kit, place: LOCAL_PLACE, directory }).service]);
    const credentials = { accessKeyId: 'unit', secretAccessKey: 'unit' };
    const iam = new IAMClient({ region: LOCAL_PLACE.region, endpoint: door.url, credentials });
    onTestFinished(async () => {
      iam.destroy();
      await door.close();
    });
    return iam;
  };
  const first = await open();
  for (const RoleName of ['kept', 'ended']) {
    await first.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trustPolicy('ecs-tasks') }));
  }
  await first.send(new DeleteRoleCommand({ RoleName: 'ended' }));
  const before = await first.send(new GetRoleCommand({ RoleName: 'kept' }));

  const second = await open();

  expect((await second.send(new GetRoleCommand({ RoleName: 'kept' }))).Role).toEqual(before.Role);
  expect((await second.send(new ListRolesCommand({}))).Roles?.map(({ RoleName }) => RoleName)).toEqual(['kept']);
});
