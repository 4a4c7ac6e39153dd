/**
 * A real Slurm of one node on loopback, in a temporary folder, as Debian's packages slurm-wlm and munge have it; with
 * accounting where slurmdbd and mariadb-server-core are installed too. Without systemd and without cgroups.
 *
 * @module
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort } from './dynamodb.ts';
import { until } from './stand-ins.ts';

const NEEDED = ['munged', 'slurmctld', 'slurmd', 'sbatch', 'squeue', 'sacct', 'scancel', 'scontrol'];
const FOR_ACCOUNTING = ['slurmdbd', 'sacctmgr', 'mariadbd', 'mariadb-install-db', 'mariadb'];
const NODE = 'longhaul';
const PATH = [process.env.PATH, '/usr/sbin', '/usr/bin'].join(delimiter);

/** Why no cluster can be started here; undefined when one can. */
export function whyNoSlurm(): string | undefined {
  const missing = NEEDED.filter((program) => !has(program));
  if (missing.length > 0) return `not installed: ${missing.join(', ')} (Debian: apt-get install slurm-wlm munge)`;
  return process.getuid?.() === 0 ? undefined : 'slurmd starts jobs as their user, which takes root';
}

export const hasAccounting = (): boolean => FOR_ACCOUNTING.every(has);

const has = (program: string): boolean => PATH.split(delimiter).some((folder) => existsSync(join(folder, program)));

export interface SlurmCluster {
  /** For Slurm's programs: PATH and SLURM_CONF. */
  env: Record<string, string>;
  /** Runs one of Slurm's programs. */
  call(...argv: string[]): string;
  /** Ends the node with all that runs on it, and starts it anew. */
  loseNode(): Promise<void>;
  close(): Promise<void>;
}

export async function startSlurm({ accounting }: { accounting: boolean }): Promise<SlurmCluster> {
  const directory = await mkdtemp(join(tmpdir(), 'longhaul-slurm-'));
  const at = (name: string) => join(directory, name);
  const env = { PATH, SLURM_CONF: at('slurm.conf'), MYSQL_UNIX_PORT: at('db.sock') };
  const children: ChildProcess[] = [];
  const start = (program: string, ...args: string[]) => {
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (bytes: Buffer) => (said = `${said}${bytes.toString()}`.slice(-2000)));
    child.once('error', (error) => (said += error.message));
    children.push(child);
    return { child, said: () => said };
  };
  const call = (...argv: string[]) => {
    const [program = '', ...args] = argv;
    const { status, stdout, stderr } = spawnSync(program, args, { env, encoding: 'utf8', timeout: 30_000 });
    if (status !== 0) throw new Error(`${argv.join(' ')}: ${stderr}`);
    return stdout;
  };
  const killAll = () => {
    for (const child of children) child.kill('SIGKILL');
    for (const pid of processesOf(directory)) kill(pid);
  };
  process.once('exit', killAll);
  const close = async () => {
    process.off('exit', killAll);
    killAll();
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  };

  try {
    for (const folder of ['munge', 'state', 'spool', 'db']) await mkdir(at(folder), { mode: 0o700 });
    await writeFile(at('munge/key'), randomBytes(128), { mode: 0o400 });
    const munge = ['key-file', 'socket', 'pid-file', 'log-file', 'seed-file'].map(
      (name) => `--${name}=${at(`munge/${name === 'key-file' ? 'key' : name}`)}`,
    );
    start('munged', '--foreground', '--force', '--num-threads=2', ...munge);
    await until('munged', () => existsSync(at('munge/socket')));
    const ports = { ctld: await freePort(), slurmd: await freePort(), dbd: await freePort() };
    await writeFile(env.SLURM_CONF, slurmConf(directory, ports, accounting));
    if (accounting) await startAccounting();
    start('slurmctld', '-D', '-c');
    await startNode();
  } catch (error) {
    await close();
    throw error;
  }

  async function startAccounting(): Promise<void> {
    const client = ['--no-defaults', `--socket=${at('db.sock')}`, '--user=root'];
    call(
      'mariadb-install-db',
      '--no-defaults',
      `--datadir=${at('db')}`,
      '--auth-root-authentication-method=socket',
      '--skip-test-db',
      '--user=root',
    );
    start(
      'mariadbd',
      ...['--no-defaults', `--datadir=${at('db')}`, `--socket=${at('db.sock')}`, '--skip-networking', '--user=root'],
      ...['--innodb-buffer-pool-size=32M', '--innodb-flush-log-at-trx-commit=0', `--pid-file=${at('db.pid')}`],
    );
    await until('mariadbd', () => spawnSync('mariadb', [...client, '-e', 'select 1'], { env }).status === 0, 30_000);
    call(
      'mariadb',
      ...client,
      '-e',
      "create database accounts; create user slurm@localhost identified by 'slurm'; grant all on accounts.* to slurm@localhost",
    );
    const port = /AccountingStoragePort=(\d+)/.exec(await readFile(env.SLURM_CONF, 'utf8'))?.[1] ?? '';
    await writeFile(at('slurmdbd.conf'), slurmdbdConf(directory, port));
    await chmod(at('slurmdbd.conf'), 0o600);
    const dbd = start('slurmdbd', '-D');
    const add = () => spawnSync('sacctmgr', ['--immediate', 'add', 'cluster', 'longhaul'], { env }).status === 0;
    await until('slurmdbd', add, 30_000).catch((error: Error) => {
      throw new Error(`${error.message}: ${dbd.said()}`);
    });
  }

  async function startNode(): Promise<void> {
    const node = start('slurmd', '-D', '-N', NODE);
    const idle = () =>
      spawnSync('sinfo', ['--noheader', '--format=%t'], { env, encoding: 'utf8' }).stdout.trim() === 'idle';
    await until('an idle node', idle, 30_000).catch((error: Error) => {
      throw new Error(`${error.message}: ${node.said()}`);
    });
  }

  return {
    env,
    call,
    async loseNode() {
      const [node] = children.splice(
        children.findIndex(({ spawnargs }) => spawnargs[0] === 'slurmd'),
        1,
      );
      node?.kill('SIGKILL');
      const daemons = new Set(children.map(({ pid }) => pid));
      for (const pid of processesOf(directory)) if (!daemons.has(pid)) kill(pid);
      call('scontrol', 'update', `NodeName=${NODE}`, 'State=DOWN', 'Reason=lost');
      await startNodeAgain();
    },
    close,
  };

  async function startNodeAgain(): Promise<void> {
    const resume = () => spawnSync('scontrol', ['update', `NodeName=${NODE}`, 'State=RESUME'], { env });
    start('slurmd', '-D', '-N', NODE);
    const idle = () => {
      resume();
      return spawnSync('sinfo', ['--noheader', '--format=%t'], { env, encoding: 'utf8' }).stdout.trim() === 'idle';
    };
    await until('an idle node', idle, 30_000);
  }
}

/** Those whose environment names our folder: the node's, and its jobs'. */
function processesOf(directory: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      return readFileSync(`/proc/${name}/environ`, 'latin1').includes(directory) ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}

/** Sizes of the node are made up, so that tests do not depend on the machine. */
function slurmConf(
  directory: string,
  ports: { ctld: number; slurmd: number; dbd: number },
  accounting: boolean,
): string {
  const at = (name: string) => join(directory, name);
  const [host = 'localhost'] = hostname().split('.');
  return [
    'ClusterName=longhaul',
    `SlurmctldHost=${host}(127.0.0.1)`,
    `SlurmctldPort=${ports.ctld}`,
    `SlurmdPort=${ports.slurmd}`,
    'CommunicationParameters=NoInAddrAny,NoCtldInAddrAny',
    'SlurmUser=root',
    'SlurmdUser=root',
    'AuthType=auth/munge',
    // A requeued job waits until the credential of its last run has expired.
    `AuthInfo=socket=${at('munge/socket')},cred_expire=5`,
    `StateSaveLocation=${at('state')}`,
    `SlurmdSpoolDir=${at('spool')}`,
    `SlurmctldPidFile=${at('slurmctld.pid')}`,
    `SlurmdPidFile=${at('slurmd.pid')}`,
    `SlurmctldLogFile=${at('slurmctld.log')}`,
    `SlurmdLogFile=${at('slurmd.log')}`,
    'ProctrackType=proctrack/linuxproc',
    'TaskPlugin=task/none',
    'SelectType=select/cons_tres',
    'SelectTypeParameters=CR_CPU_Memory',
    'JobAcctGatherType=jobacct_gather/linux',
    'JobAcctGatherFrequency=task=1',
    // Not OverMemoryKill: of what that kills Slurm does not say that it was for its memory.
    'JobAcctGatherParams=UsePss',
    'ReturnToService=2',
    'KillWait=5',
    'MaxArraySize=10001',
    'SchedulerParameters=sched_interval=1,sched_min_interval=0,batch_sched_delay=0',
    ...(accounting
      ? [
          'AccountingStorageType=accounting_storage/slurmdbd',
          'AccountingStorageHost=127.0.0.1',
          `AccountingStoragePort=${ports.dbd}`,
          `AccountingStoragePass=${at('munge/socket')}`,
        ]
      : ['AccountingStorageType=accounting_storage/none']),
    'SlurmdParameters=config_overrides',
    `NodeName=${NODE} NodeHostname=${host} NodeAddr=127.0.0.1 CPUs=8 RealMemory=8000 State=UNKNOWN`,
    `PartitionName=main Nodes=${NODE} Default=YES MaxTime=INFINITE State=UP`,
    '',
  ].join('\n');
}

function slurmdbdConf(directory: string, port: string): string {
  const at = (name: string) => join(directory, name);
  return [
    'AuthType=auth/munge',
    `AuthInfo=socket=${at('munge/socket')}`,
    'DbdHost=localhost',
    'DbdAddr=127.0.0.1',
    `DbdPort=${port}`,
    'SlurmUser=root',
    `LogFile=${at('slurmdbd.log')}`,
    `PidFile=${at('slurmdbd.pid')}`,
    'StorageType=accounting_storage/mysql',
    'StorageHost=localhost',
    'StorageUser=slurm',
    // Of a database on a socket in a folder of ours.
    'StoragePass=slurm',
    'StorageLoc=accounts',
    '',
  ].join('\n');
}
