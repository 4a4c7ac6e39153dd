/**
 * The stand-in for CloudWatch Logs over the awsJson 1.1 protocol.
 *
 * @module
 */
import type { Kit } from '../../kit/front-door.ts';
import { jsonService } from '../../kit/json-protocol.ts';
import type { AwsService } from '../../kit/service.ts';
import type { LogPort, Place } from '../ports.ts';
import { groupOperations } from './group-operations.ts';
import { lineOperations } from './line-operations.ts';
import { LogStore } from './store.ts';

export async function createLogs(options: {
  kit: Kit;
  place: Place;
  directory: string;
}): Promise<{ service: AwsService; port: LogPort }> {
  const { clock } = options.kit;
  const store = new LogStore({ clock, directory: options.directory });
  return {
    service: jsonService({
      names: ['logs'],
      version: '1.1',
      operations: { ...groupOperations(store, options.place), ...lineOperations(store, clock) },
      close: async () => store.close(),
    }),
    port: {
      append(group, stream, lines) {
        if (!store.groups.has(group)) store.createGroup(group);
        if (!store.group(group).streams.has(stream)) store.createStream(group, stream);
        if (lines.length > 0) store.append(store.stream(store.group(group), stream), lines);
      },
    },
  };
}
