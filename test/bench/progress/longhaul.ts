/**
 * Longhaul's own side: a gateway over logs in its memory, which is like Socket.IO's adapter in memory, or over the logs on
 * DynamoDB that the product has, where messages are told by another process that appends first and nudges then.
 *
 * @module
 */
import { GATEWAY } from '../../support/gateway-world.ts';
import { type Program, startProgram } from '../../support/program.ts';
import type { GatewayStart } from '../../support/programs/gateway.ts';
import { startLog } from '../../support/progress-log.ts';
import { PATIENCE, runOf } from './plan.ts';
import type { System } from './system.ts';

const TELLER = 'test/bench/progress/programs/teller.ts';
/** Of processes that end with the bench. */
export const KEY = 'k'.repeat(32);

export async function startGateway(start: GatewayStart, patient: boolean): Promise<{ program: Program; port: number }> {
  const program = await startProgram(GATEWAY, { execArgv: ['--expose-gc'] });
  const options = { ...start, ...(!patient && { heartbeatMs: PATIENCE.heartbeatMs }) };
  const { port } = await program.call<{ port: number }>('start', options);
  return { program, port };
}

/** Logs begin with their first report: so that they can be watched, each run has one before its first message. */
const begin = { kind: 'status', status: 'RUNNING', localSeq: 0 } as const;

export const longhaulInMemory: System = {
  name: 'longhaul-memory',
  client: 'longhaul',
  durable: false,
  async start({ patient, runs }) {
    const { program, port } = await startGateway({ port: 0 }, patient);
    for (let nth = 0; nth < runs; nth += 1) await program.call('append', runOf(nth), { domain: 'bench' }, begin);
    return {
      ports: [port],
      server: program,
      publish: (messages) => program.call('publish', messages),
      close: () => program.kill(),
    };
  },
};

/**
 * @param gateways that clients connect to
 * @param forgetful sessions and cursors stay in the gateways' memory: what is left is what Socket.IO keeps
 */
export const longhaulOnLog = (gateways: number, forgetful = false): System => ({
  name: forgetful ? 'longhaul-forgetful' : 'longhaul',
  client: 'longhaul',
  durable: true,
  async start({ patient, runs }) {
    const log = await startLog();
    const start = (port: number) => startGateway({ port, log: log.place, key: KEY, forgetful }, patient);
    const nodes = await Promise.all(Array.from({ length: gateways }, () => start(0)));
    const teller = await startProgram(TELLER);
    const names = Array.from({ length: runs }, (_, nth) => runOf(nth));
    await teller.call('start', { log: log.place, key: KEY, runs: names });
    const [first] = nodes;
    if (!first) throw new Error('at least one gateway is needed');
    return {
      ports: nodes.map(({ port }) => port),
      server: first.program,
      publish: (messages) => teller.call('publish', messages),
      flush: () => teller.call('flush'),
      async restart(nth) {
        const node = nodes[nth];
        if (!node) return;
        await node.program.kill();
        nodes[nth] = await start(node.port);
      },
      async close() {
        await Promise.all([teller, ...nodes.map(({ program }) => program)].map((program) => program.kill()));
        await log.close();
      },
    };
  },
});
