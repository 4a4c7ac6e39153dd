/**
 * The event consumer as a program.
 *
 * @module
 */
import { createAwsClients } from '../../lib/aws-clients.ts';
import { createLogger } from '../../lib/log.ts';
import { openProgress } from '../../lib/progress/open.ts';
import { readSettings } from '../../lib/settings.ts';
import { LaunchStore } from '../../lib/store/launches.ts';
import { RestoreStore } from '../../lib/store/restores.ts';
import { tableNames } from '../../lib/store/tables.ts';
import { connectTemporal } from '../../lib/temporal/client.ts';
import { consumeCompletions } from './completions.ts';
import { consumeEvents } from './consumer.ts';
import { consumeProgress } from './progress.ts';

async function main(): Promise<void> {
  const settings = readSettings(process.env);
  const log = createLogger('events', settings.logLevel);
  const stop = new AbortController();
  process.once('SIGTERM', () => stop.abort());
  process.once('SIGINT', () => stop.abort());
  const tables = tableNames(settings.tablePrefix);
  const aws = createAwsClients({ tables, warn: (message) => log.warn(message) });
  const { client } = await connectTemporal(settings);
  const launches = new LaunchStore(aws.dynamodb, tables);
  const restores = new RestoreStore(aws.dynamodb, tables);
  const shared = { ...aws, client, settings, log, signal: stop.signal };
  const warn = (message: string) => log.warn(message);
  const progress = openProgress(aws.dynamodb, tables, { ...settings, warn });
  await Promise.all([
    consumeEvents({ ...shared, launches, restores }),
    consumeCompletions({ ...shared, restores }),
    consumeProgress({ ...shared, progress }),
  ]);
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
