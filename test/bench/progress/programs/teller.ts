/**
 * A worker as far as progress goes: appends to logs on DynamoDB and tells the gateways.
 *
 * @module
 */
import { createNudger, type Nudger } from '../../../../lib/progress/nudge.ts';
import { gatewayTable } from '../../../../lib/store/gateways.ts';
import type { ProgressStore } from '../../../../lib/store/progress.ts';
import { tableNames } from '../../../../lib/store/tables.ts';
import type { Report } from '../../../../workflows/progress/model.ts';
import { answer, machineMs } from '../../../support/program.ts';
import { dynamoDbAt, type LogPlace, openStore } from '../../../support/progress-log.ts';
import type { Message } from '../plan.ts';

const FACTS = { domain: 'bench' };
const SOURCE = { name: 'workflow', attempt: 1 };

let store: ProgressStore;
let nudger: Nudger;

async function append(run: string, report: Report): Promise<number> {
  const begun = performance.now();
  const { epoch, events } = await store.append(run, FACTS, [report]);
  const kept = performance.now() - begun;
  nudger.nudge({ run, epoch, events });
  return kept;
}

answer({
  start({ log, key }: { log: LogPlace; key: string }) {
    store = openStore(log);
    const gateways = gatewayTable(dynamoDbAt(log.endpoint), tableNames(log.prefix));
    nudger = createNudger({ gateways, key, warn: (message) => console.error(message) });
  },
  async begin(runs: readonly string[]) {
    const first = { kind: 'status', status: 'RUNNING', source: SOURCE, localSeq: 0, at: Date.now() } as const;
    for (const run of runs) await append(run, first);
    await nudger.idle();
  },
  publish: (messages: readonly Message[]) =>
    Promise.all(
      messages.map(({ run, n, text }) =>
        append(run, {
          kind: 'data',
          source: SOURCE,
          localSeq: n,
          at: Date.now(),
          data: { n, at: machineMs(), text },
        }),
      ),
    ),
});
