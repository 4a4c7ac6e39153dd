/**
 * Reading what jobs have logged, of one group of CloudWatch Logs.
 *
 * @module
 */
import {
  type CloudWatchLogsClient,
  GetLogEventsCommand,
  type GetLogEventsCommandOutput,
  ResourceNotFoundException,
} from '@aws-sdk/client-cloudwatch-logs';
import type { ComputeService } from './service.ts';

export function jobLogs(
  logs: CloudWatchLogsClient,
  logGroupName: string,
): Required<Pick<ComputeService, 'logGroup' | 'logPage' | 'lastLogLines'>> {
  return {
    logGroup: logGroupName,

    async logPage(logStreamName, token) {
      const page = await unlessMissing(
        logs.send(
          new GetLogEventsCommand({
            logGroupName,
            logStreamName,
            startFromHead: true,
            ...(token !== undefined && { nextToken: token }),
          }),
        ),
      );
      const next = page?.nextForwardToken;
      return { lines: messages(page), ...(next !== undefined && { token: next }) };
    },

    async lastLogLines(logStreamName, lines) {
      const get = new GetLogEventsCommand({ logGroupName, logStreamName, limit: lines, startFromHead: false });
      return messages(await unlessMissing(logs.send(get)));
    },
  };
}

const messages = (page: GetLogEventsCommandOutput | undefined): string[] =>
  (page?.events ?? []).map(({ message }) => message ?? '');

/** A container that never started has no stream. */
async function unlessMissing<T>(page: Promise<T>): Promise<T | undefined> {
  try {
    return await page;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}
