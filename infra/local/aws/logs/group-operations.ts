/**
 * The operations on log groups and log streams.
 *
 * @module
 */
import type { JsonOperation } from '../../kit/json-protocol.ts';
import { AwsError } from '../../kit/service.ts';
import type { Place } from '../ports.ts';
import { groupName, invalid, type Json, pageByName, requiredText, wholeNumber } from './input.ts';
import type { LogGroup, LogStore, LogStream } from './store.ts';

const RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

export function groupOperations(store: LogStore, place: Place): Record<string, JsonOperation> {
  const arn = (rest: string) => `arn:aws:logs:${place.region}:${place.accountId}:log-group:${rest}`;
  const onGroup = (run: (input: Json) => Json): JsonOperation => ({
    subject: (input) => [input.logGroupName, input.logStreamName].filter((name) => name !== undefined).join(':'),
    run,
  });

  const describeGroup = (group: LogGroup): Json => ({
    logGroupName: group.name,
    creationTime: group.createdAt,
    metricFilterCount: 0,
    arn: `${arn(group.name)}:*`,
    logGroupArn: arn(group.name),
    logGroupClass: 'STANDARD',
    storedBytes: 0,
    ...(group.retentionDays !== undefined && { retentionInDays: group.retentionDays }),
  });

  const describeStream = (group: LogGroup, stream: LogStream): Json => {
    const { firstEvent, lastEvent, lastIngestion } = stream.file.summary();
    return {
      logStreamName: stream.name,
      creationTime: stream.createdAt,
      arn: `${arn(group.name)}:log-stream:${stream.name}`,
      storedBytes: 0,
      ...(firstEvent !== undefined && {
        firstEventTimestamp: firstEvent,
        lastEventTimestamp: lastEvent,
        lastIngestionTime: lastIngestion,
      }),
    };
  };

  return {
    CreateLogGroup: onGroup((input) => {
      const name = requiredText(input, 'logGroupName');
      if (!/^[.\-_/#A-Za-z0-9]{1,512}$/.test(name)) {
        throw invalid(
          `1 validation error detected: Value '${name}' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+`,
        );
      }
      if (store.groups.has(name)) throw alreadyExists('log group');
      store.createGroup(name);
      return {};
    }),
    CreateLogStream: onGroup((input) => {
      const group = store.group(requiredText(input, 'logGroupName'));
      const name = requiredText(input, 'logStreamName');
      if (!/^[^:*]{1,512}$/.test(name)) {
        throw invalid(
          `1 validation error detected: Value '${name}' at 'logStreamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [^:*]*`,
        );
      }
      if (group.streams.has(name)) throw alreadyExists('log stream');
      store.createStream(group.name, name);
      return {};
    }),
    DescribeLogGroups: {
      subject: (input) => String(input.logGroupNamePrefix ?? ''),
      run(input) {
        const limit = wholeNumber(input, 'limit', 1, 50) ?? 50;
        const { logGroupNamePrefix: prefix, logGroupNamePattern: part } = input;
        if (prefix !== undefined && part !== undefined) {
          throw invalid('LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.');
        }
        const groups = [...store.groups.values()]
          .filter(({ name }) => name.startsWith(String(prefix ?? '')))
          .filter(({ name }) => name.toLowerCase().includes(String(part ?? '').toLowerCase()))
          .sort((a, b) => (a.name < b.name ? -1 : 1));
        const { page, next } = pageByName(groups, (group) => group.name, input, limit);
        return { logGroups: page.map(describeGroup), ...next };
      },
    },
    DescribeLogStreams: onGroup((input) => {
      const group = store.group(groupName(input));
      const limit = wholeNumber(input, 'limit', 1, 50) ?? 50;
      const prefix = input.logStreamNamePrefix;
      const byTime = input.orderBy === 'LastEventTime';
      if (byTime && prefix !== undefined) {
        throw invalid('Cannot order by LastEventTime with a logStreamNamePrefix.');
      }
      const streams = [...group.streams.values()].filter(({ name }) => name.startsWith(String(prefix ?? '')));
      // A stream without lines counts as the oldest.
      const rank = ({ file }: LogStream) => file.summary().lastEvent ?? 0;
      streams.sort((a, b) => (byTime ? rank(a) - rank(b) : 0) || (a.name < b.name ? -1 : 1));
      if (input.descending === true) streams.reverse();
      const { page, next } = pageByName(streams, (stream) => stream.name, input, limit);
      return { logStreams: page.map((stream) => describeStream(group, stream)), ...next };
    }),
    DeleteLogGroup: onGroup((input) => {
      store.endGroup(store.group(requiredText(input, 'logGroupName')));
      return {};
    }),
    DeleteLogStream: onGroup((input) => {
      const group = store.group(requiredText(input, 'logGroupName'));
      store.endStream(group, store.stream(group, requiredText(input, 'logStreamName')));
      return {};
    }),
    PutRetentionPolicy: onGroup((input) => {
      const group = store.group(requiredText(input, 'logGroupName'));
      const days = Number(input.retentionInDays);
      if (!RETENTION_DAYS.includes(days)) {
        throw invalid(
          `Value '${String(input.retentionInDays)}' at 'retentionInDays' must be one of ${RETENTION_DAYS.join(', ')}`,
        );
      }
      store.setRetention(group, days);
      return {};
    }),
    DeleteRetentionPolicy: onGroup((input) => {
      store.setRetention(store.group(requiredText(input, 'logGroupName')), undefined);
      return {};
    }),
  };
}

function alreadyExists(what: string): AwsError {
  return new AwsError('ResourceAlreadyExistsException', `The specified ${what} already exists`);
}
