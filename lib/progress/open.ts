/**
 * The logs of runs as a process of ours opens them.
 *
 * @module
 */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Settings } from '../settings.ts';
import { gatewayTable } from '../store/gateways.ts';
import { ProgressStore } from '../store/progress.ts';
import { progressTable } from '../store/progress-table.ts';
import type { Tables } from '../store/tables.ts';
import type { ProgressReader, ProgressWriter } from './log.ts';
import { createNudger } from './nudge.ts';
import { nudging } from './nudging.ts';

/** What is appended is told to the gateways. */
export function openProgress(
  dynamodb: DynamoDBClient,
  tables: Tables,
  { gatewayKey, warn }: Pick<Settings, 'gatewayKey'> & { warn(message: string): void },
): ProgressReader & ProgressWriter {
  const store = new ProgressStore(progressTable(dynamodb, tables), { warn });
  const nudger = createNudger({ gateways: gatewayTable(dynamodb, tables), key: gatewayKey, warn });
  return {
    ...nudging(store, nudger),
    head: (run) => store.head(run),
    read: (run, after, limit) => store.read(run, after, limit),
    snapshot: (run) => store.snapshot(run),
  };
}
