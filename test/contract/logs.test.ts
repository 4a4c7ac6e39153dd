import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DeleteLogGroupCommand,
  DeleteLogStreamCommand,
  DescribeLogGroupsCommand,
  DescribeLogStreamsCommand,
  FilterLogEventsCommand,
  type FilterLogEventsCommandInput,
  GetLogEventsCommand,
  type GetLogEventsCommandInput,
  PutLogEventsCommand,
  PutRetentionPolicyCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTarget, type Target } from './target.ts';

let target: Target;
let logs: CloudWatchLogsClient;
let logGroupName: string;
let startOfRun: number;

async function newStream(what: string): Promise<string> {
  const logStreamName = `${what}/${target.unique('stream')}`;
  await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
  return logStreamName;
}

const put = (logStreamName: string, messages: readonly string[], at = startOfRun) =>
  logs.send(
    new PutLogEventsCommand({
      logGroupName,
      logStreamName,
      logEvents: messages.map((message, index) => ({ timestamp: at + index, message })),
    }),
  );

const get = (logStreamName: string, more: Partial<GetLogEventsCommandInput> = {}) =>
  logs.send(new GetLogEventsCommand({ logGroupName, logStreamName, ...more }));

/** Reads until `count` lines are there: CloudWatch shows lines some seconds after it took them. */
async function settled(logStreamName: string, count: number): Promise<void> {
  for (const deadline = Date.now() + 45_000; Date.now() < deadline; ) {
    const { events = [] } = await get(logStreamName, { startFromHead: true });
    if (events.length >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  expect.fail(`${count} lines did not show`);
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('it succeeded'),
    (error: Error) => error,
  );

beforeAll(async () => {
  target = await openTarget();
  logs = new CloudWatchLogsClient(target.client);
  startOfRun = Date.now() - 60_000;
  logGroupName = `/longhaul/${target.unique('logs')}`;
  await logs.send(new CreateLogGroupCommand({ logGroupName }));
});

afterAll(async () => {
  await logs.send(new DeleteLogGroupCommand({ logGroupName }));
  logs.destroy();
  await target.close();
});

describe('groups and streams', () => {
  it('are made once, described, and given a retention', async () => {
    const again = await failure(logs.send(new CreateLogGroupCommand({ logGroupName })));
    await logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays: 7 }));
    const odd = await failure(logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays: 8 })));

    const { logGroups } = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: logGroupName }));

    expect(again.name).toBe('ResourceAlreadyExistsException');
    expect(odd.name).toBe('InvalidParameterException');
    expect(logGroups).toMatchObject([{ logGroupName, retentionInDays: 7 }]);
  });

  it('are listed by prefix, page by page, and deleted', async () => {
    const names: string[] = [];
    for (let index = 0; index < 3; index += 1) names.push(await newStream('paged'));
    names.sort();

    const query = { logGroupName, logStreamNamePrefix: 'paged/', limit: 2 };
    const first = await logs.send(new DescribeLogStreamsCommand(query));
    const second = await logs.send(new DescribeLogStreamsCommand({ ...query, nextToken: first.nextToken }));
    await logs.send(new DeleteLogStreamCommand({ logGroupName, logStreamName: names[0] }));
    const gone = await failure(get(names[0] as string));

    const listed = [...(first.logStreams ?? []), ...(second.logStreams ?? [])].map(
      ({ logStreamName }) => logStreamName,
    );
    expect(listed).toEqual(names);
    expect(second.nextToken).toBeUndefined();
    expect(gone).toMatchObject({
      name: 'ResourceNotFoundException',
      message: 'The specified log stream does not exist.',
    });
  });
});

describe('lines', () => {
  it('are read forwards to the token that stays the same', async () => {
    const stream = await newStream('forward');
    const lines = Array.from({ length: 5 }, (_, index) => `line ${index} ü`);
    await put(stream, lines);
    await settled(stream, 5);

    const seen: (string | undefined)[] = [];
    let nextToken: string | undefined;
    for (;;) {
      const page = await get(stream, { startFromHead: true, limit: 2, ...(nextToken && { nextToken }) });
      seen.push(...(page.events ?? []).map(({ message }) => message));
      if (page.nextForwardToken === nextToken) break;
      nextToken = page.nextForwardToken;
    }
    await put(stream, ['late'], startOfRun + 100);
    await settled(stream, 6);
    const later = await get(stream, { startFromHead: true, ...(nextToken && { nextToken }) });

    expect(seen).toEqual(lines);
    expect(later.events?.map(({ message }) => message)).toEqual(['late']);
  });

  it('are read from the end and backwards', async () => {
    const stream = await newStream('backward');
    await put(stream, ['a', 'b', 'c', 'd']);
    await settled(stream, 4);

    const last = await get(stream, { limit: 3 });
    const before = await get(stream, { limit: 3, nextToken: last.nextBackwardToken });
    const end = await get(stream, { limit: 3, nextToken: before.nextBackwardToken });

    const texts = [last, before, end].map(({ events = [] }) => events.map(({ message }) => message).join(''));
    expect(texts).toEqual(['bcd', 'a', '']);
    expect(end.nextBackwardToken).toBe(before.nextBackwardToken);
  });

  it('are read by time: the end is not part of it', async () => {
    const stream = await newStream('time');
    await put(stream, ['a', 'b', 'c', 'd']);
    await settled(stream, 4);

    const { events } = await get(stream, { startTime: startOfRun + 1, endTime: startOfRun + 3, startFromHead: true });

    expect(events?.map(({ message }) => message)).toEqual(['b', 'c']);
  });

  it('out of order, too far in the future or past are refused or reported', async () => {
    const stream = await newStream('rules');
    const logEvents = (...offsets: number[]) => ({
      logGroupName,
      logStreamName: stream,
      logEvents: offsets.map((offset) => ({ timestamp: Date.now() + offset, message: 'x' })),
    });
    const hour = 3_600_000;

    const unordered = await failure(logs.send(new PutLogEventsCommand(logEvents(0, -1000))));
    const future = await logs.send(new PutLogEventsCommand(logEvents(0, 3 * hour)));
    const past = await logs.send(new PutLogEventsCommand(logEvents(-15 * 24 * hour)));

    expect(unordered.name).toBe('InvalidParameterException');
    expect(future.rejectedLogEventsInfo).toEqual({ tooNewLogEventStartIndex: 1 });
    expect(past.rejectedLogEventsInfo).toMatchObject({ tooOldLogEventEndIndex: 1 });
  });

  it('are filtered over streams, in order of time, page by page', async () => {
    const one = await newStream('filter');
    const two = await newStream('filter');
    await put(one, ['ERROR disk full', 'fine', 'ERROR net down']);
    await put(two, ['WARN disk slow', 'ERROR disk "bad"'], startOfRun + 10);
    await settled(one, 3);
    await settled(two, 2);
    const filter = async (filterPattern: string, more: Partial<FilterLogEventsCommandInput> = {}) => {
      const found: (string | undefined)[] = [];
      let nextToken: string | undefined;
      do {
        const query = {
          logGroupName,
          logStreamNamePrefix: 'filter/',
          filterPattern,
          ...more,
          ...(nextToken && { nextToken }),
        };
        const page = await logs.send(new FilterLogEventsCommand(query));
        found.push(...(page.events ?? []).map(({ message }) => message));
        nextToken = page.nextToken;
      } while (nextToken !== undefined);
      return found;
    };

    const all = await filter('', { limit: 2 });
    const errors = await filter('ERROR disk');
    const either = await filter('?WARN ?net');
    const without = await filter('ERROR -disk');
    const phrase = await filter('"disk full"');
    const named = await filter('disk', { logStreamNamePrefix: undefined, logStreamNames: [two] });

    expect(all).toEqual(['ERROR disk full', 'fine', 'ERROR net down', 'WARN disk slow', 'ERROR disk "bad"']);
    expect(errors).toEqual(['ERROR disk full', 'ERROR disk "bad"']);
    expect(either).toEqual(['ERROR net down', 'WARN disk slow']);
    expect(without).toEqual(['ERROR net down']);
    expect(phrase).toEqual(['ERROR disk full']);
    expect(named).toEqual(['WARN disk slow', 'ERROR disk "bad"']);
  });

  it('are filtered over named streams, each line once whatever the page, and refused with one that is not there', async () => {
    const streams = [await newStream('named'), await newStream('named'), await newStream('named')];
    for (const stream of streams) {
      await put(stream, ['one', 'two', 'three']);
      await settled(stream, 3);
    }
    const filter = (more: Partial<FilterLogEventsCommandInput>) =>
      logs.send(new FilterLogEventsCommand({ logGroupName, ...more }));

    const seen: string[] = [];
    const ids = new Set<string | undefined>();
    let nextToken: string | undefined;
    do {
      const page = await filter({ logStreamNames: streams, limit: 2, ...(nextToken && { nextToken }) });
      for (const { logStreamName = '', message, eventId } of page.events ?? []) {
        seen.push(`${streams.indexOf(logStreamName)} ${message}`);
        ids.add(eventId);
      }
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    const missing = await failure(filter({ logStreamNames: [...streams, 'named/nobody'] }));
    const tooMany = await failure(filter({ logStreamNames: Array.from({ length: 101 }, (_, index) => `${index}`) }));

    expect(seen.toSorted()).toEqual(streams.flatMap((_, index) => ['one', 'three', 'two'].map((m) => `${index} ${m}`)));
    expect(ids.size).toBe(9);
    expect(missing).toMatchObject({
      name: 'ResourceNotFoundException',
      message: 'The specified log stream does not exist.',
    });
    expect(tooMany.name).toBe('InvalidParameterException');
  });
});
