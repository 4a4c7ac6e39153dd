/**
 * Runs the user data of EC2's instances as processes of this machine: what an instance is, as far as jobs can tell. EC2
 * itself is whoever answers the client, such as moto, which knows instances and runs none.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, watch } from 'node:fs';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  DescribeInstanceAttributeCommand,
  type EC2Client,
  type Instance,
  paginateDescribeInstances,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { signal } from '../aws/batch/leash.ts';
import { type InstanceFacts, MetadataService } from '../aws/batch/metadata.ts';
import type { Clock } from '../kit/clock.ts';
import { processesWith } from '../kit/marked-processes.ts';

export interface HypervisorOptions {
  ec2: EC2Client;
  clock: Clock;
  directory: string;
  /** Of every process on an instance: what its profile and its image would give. */
  environment: Readonly<Record<string, string>>;
}

export interface Hypervisor {
  /** Instances whose user data has begun and that have not ended. */
  running(): string[];
  /** The host is gone from one moment to the next. */
  lose(instanceId: string): Promise<void>;
  close(): Promise<void>;
}

/** EC2 tells nobody of new instances. */
const LOOK_MS = 100;
/** Between the signal that the power button gives and the end. */
const POWER_OFF_MS = 1_000;
/** In the environment of every process of an instance: finds those that left their group. */
const MARKER = 'LONGHAUL_EC2_INSTANCE';

/** Notes what it was asked for; the machine around it does it. */
const SHUTDOWN = `#!/bin/sh
printf '%s\\n' "$*" > "$LONGHAUL_EC2_MACHINE/shutdown.part"
mv "$LONGHAUL_EC2_MACHINE/shutdown.part" "$LONGHAUL_EC2_MACHINE/shutdown"
`;

interface Machine {
  directory: string;
  facts: InstanceFacts;
  child?: ChildProcess;
  timer?: NodeJS.Timeout;
  watcher?: ReturnType<typeof watch>;
}

export async function openHypervisor({ ec2, clock, directory, environment }: HypervisorOptions): Promise<Hypervisor> {
  const machines = new Map<string, Machine>();
  /** Every instance that was ever started here: none starts twice. */
  const seen = new Set<string>();
  const metadata = new MetadataService(clock, (id) => machines.get(id)?.facts);
  await metadata.open();
  const tools = join(directory, 'bin');
  await mkdir(tools, { recursive: true });
  await writeFile(join(tools, 'shutdown'), SHUTDOWN);
  await chmod(join(tools, 'shutdown'), 0o755);
  const closed = new AbortController();
  const looking = look();

  async function look(): Promise<void> {
    while (!closed.signal.aborted) {
      await once().catch((error: unknown) => console.error('EC2 could not be asked for its instances', error));
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  async function once(): Promise<void> {
    for await (const page of paginateDescribeInstances({ client: ec2 }, {})) {
      for (const { Instances = [] } of page.Reservations ?? []) {
        for (const instance of Instances) {
          const { InstanceId: id = '', State } = instance;
          if (State?.Name === 'running' && !seen.has(id)) await boot(id, instance);
          else if (State?.Name !== 'running' && machines.has(id)) await powerOff(id);
        }
      }
    }
  }

  async function boot(id: string, instance: Instance): Promise<void> {
    seen.add(id);
    const own = join(directory, id);
    await mkdir(join(own, 'tmp'), { recursive: true });
    const { UserData } = await ec2.send(
      new DescribeInstanceAttributeCommand({ InstanceId: id, Attribute: 'userData' }),
    );
    const script = Buffer.from(UserData?.Value ?? '', 'base64').toString('utf8');
    // cloud-init takes it for a script by this, and else does not run it.
    if (!script.startsWith('#!')) return;
    await writeFile(join(own, 'user-data'), script, { mode: 0o700 });
    const machine: Machine = { directory: own, facts: factsOf(id, instance) };
    machines.set(id, machine);
    machine.watcher = watch(own, () => shutdownAsked(id, machine));
    machine.child = spawn(join(own, 'user-data'), [], {
      cwd: own,
      env: {
        PATH: `${tools}:${process.env.PATH}`,
        HOME: own,
        TMPDIR: join(own, 'tmp'),
        ...environment,
        AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata.endpoint(id),
        LONGHAUL_EC2_MACHINE: own,
        [MARKER]: id,
      },
      detached: true,
      stdio: 'ignore',
    });
    // As on an instance, the end of the script ends nothing else.
    machine.child.once('error', (error) => console.error(`the user data of ${id} cannot be run`, error));
  }

  function shutdownAsked(id: string, machine: Machine): void {
    const file = join(machine.directory, 'shutdown');
    if (!existsSync(file)) return;
    const asked = readFileSync(file, 'utf8').trim();
    const [, minutes] = /^-P (?:\+(\d+)|now)$/.exec(asked) ?? [];
    clearTimeout(machine.timer);
    const end = () => void ownEnd(id).catch((error: unknown) => console.error(`${id} could not end`, error));
    if (asked === '-P now') end();
    else if (minutes !== undefined) machine.timer = setTimeout(end, Number(minutes) * 60_000).unref();
    else console.error(`instance ${id}: shutdown does not know: ${asked}`);
  }

  /** What its end from within means stands in the instance. */
  async function ownEnd(id: string): Promise<void> {
    if (!machines.has(id)) return;
    await powerOff(id);
    const { InstanceInitiatedShutdownBehavior: behavior } = await ec2.send(
      new DescribeInstanceAttributeCommand({ InstanceId: id, Attribute: 'instanceInitiatedShutdownBehavior' }),
    );
    const InstanceIds = [id];
    await (behavior?.Value === 'terminate'
      ? ec2.send(new TerminateInstancesCommand({ InstanceIds }))
      : ec2.send(new StopInstancesCommand({ InstanceIds })));
  }

  async function powerOff(id: string): Promise<void> {
    const machine = machines.get(id);
    if (!machine) return;
    forget(id, machine);
    if (signalAll(id, 'SIGTERM') > 0) {
      const until = performance.now() + POWER_OFF_MS;
      while (processesWith(`${MARKER}=${id}`).length > 0 && performance.now() < until)
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
    killAll(id);
  }

  function forget(id: string, machine: Machine): void {
    machines.delete(id);
    machine.watcher?.close();
    clearTimeout(machine.timer);
  }

  return {
    running: () => [...machines.keys()],

    async lose(id) {
      const machine = machines.get(id);
      if (machine) forget(id, machine);
      killAll(id);
      await ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    },

    async close() {
      closed.abort();
      await looking;
      for (const [id, machine] of machines) {
        forget(id, machine);
        killAll(id);
      }
      await metadata.close();
      await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

function factsOf(id: string, { InstanceType, Placement, InstanceLifecycle, ImageId }: Instance): InstanceFacts {
  const zone = Placement?.AvailabilityZone ?? 'us-east-1a';
  return {
    id,
    type: InstanceType ?? '',
    zone,
    region: zone.slice(0, -1),
    lifecycle: InstanceLifecycle === 'spot' ? 'spot' : 'on-demand',
    imageId: ImageId ?? '',
  };
}

function signalAll(id: string, name: NodeJS.Signals): number {
  const found = processesWith(`${MARKER}=${id}`);
  for (const pid of found) signal(pid, name);
  return found.length;
}

/** A process may just have started another. */
function killAll(id: string): void {
  while (signalAll(id, 'SIGKILL') > 0);
}
