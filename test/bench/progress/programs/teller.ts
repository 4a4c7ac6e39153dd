/**
 * A worker as far as progress goes: appends to logs on DynamoDB and tells the gateways.
 *
 * @module
 */
import { type Appender, createAppender } from '../../../../lib/progress/appender.ts';
import type { ProgressWriter } from '../../../../lib/progress/log.ts';
import { createNudger } from '../../../../lib/progress/nudge.ts';
import { gatewayTable } from '../../../../lib/store/gateways.ts';
import { tableNames } from '../../../../lib/store/tables.ts';
import { answer, machineMs } from '../../../support/program.ts';
import { dynamoDbAt, type LogPlace, openStore } from '../../../support/progress-log.ts';
import type { Message, Told } from '../plan.ts';

const FACTS = { domain: 'bench' };
const SOURCE = { name: 'workflow', attempt: 1 };

let appender: Appender;
/** How long each message took until it was in the log, since they were asked for last. */
let kept: number[] = [];

/** As the log is for the appender, with a clock. */
function timed(writer: ProgressWriter): ProgressWriter {
  return {
    async append(run, facts, reports) {
      const appended = await writer.append(run, facts, reports);
      const now = machineMs();
      for (const { data } of appended.events) if (data) kept.push(now - (data as Told).at);
      return appended;
    },
  };
}

answer({
  async start({ log, key, runs }: { log: LogPlace; key: string; runs: readonly string[] }) {
    const warn = (message: string) => console.error(message);
    const gateways = gatewayTable(dynamoDbAt(log.endpoint), tableNames(log.prefix));
    const nudge = createNudger({ gateways, key, warn });
    appender = createAppender({ writer: timed(openStore(log)), nudge, warn });
    for (const run of runs)
      appender.report(run, FACTS, { kind: 'status', status: 'RUNNING', source: SOURCE, localSeq: 0, at: Date.now() });
    await appender.flush(60_000);
    await nudge.idle();
  },
  publish(messages: readonly Message[]) {
    for (const { run, n, text } of messages) {
      const data: Told = { n, at: machineMs() };
      appender.report(run, FACTS, {
        kind: 'data',
        source: SOURCE,
        localSeq: n,
        at: Date.now(),
        data: { ...data, text },
      });
    }
    return kept.splice(0);
  },
  /** Waits until everything is in the log. */
  async flush() {
    const left = await appender.flush(120_000);
    if (left > 0) throw new Error(`${left} messages are not in the log after two minutes`);
    return kept.splice(0);
  },
});
