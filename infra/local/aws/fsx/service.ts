/**
 * The stand-in for Amazon FSx over the awsJson 1.1 protocol: DescribeFileSystems for Lustre file systems, which are put
 * in by `POST file-systems`. There is nothing to mount.
 *
 * @module
 */
import type { Kit } from '../../kit/front-door.ts';
import { jsonService } from '../../kit/json-protocol.ts';
import { AwsError, type AwsService } from '../../kit/service.ts';
import { TokenBucket } from '../../kit/token-bucket.ts';
import type { Place } from '../ports.ts';
import { FileSystemStore } from './store.ts';

type Json = Record<string, unknown>;

const MOST_IDS = 50;
const MOST_RESULTS = 2_147_483_647;
/** What a page has when nobody says. */
const PAGE = 100;
const ID = /^fs-[0-9a-f]{8,}$/;
/** AWS publishes no rate: this one is ours. */
const RATE = { perSecond: 10, burst: 50 };

const badRequest = (message: string) => new AwsError('BadRequest', message);

export function createFsx(options: { kit: Kit; place: Place; directory: string }): { service: AwsService } {
  const { kit } = options;
  const store = new FileSystemStore(options);
  const rate = new TokenBucket(kit.clock, RATE);
  kit.actions.set('POST file-systems', (input) => {
    const { FileSystemId } = store.put(input);
    return { FileSystemId };
  });
  return {
    service: jsonService({
      names: ['fsx'],
      version: '1.1',
      operations: {
        DescribeFileSystems: {
          subject: ({ FileSystemIds }) => (Array.isArray(FileSystemIds) ? FileSystemIds.join(',') : ''),
          run(input) {
            if (!rate.take()) throw new AwsError('ThrottlingException', 'Rate exceeded');
            return describe(store, input);
          },
        },
      },
      async close() {
        store.close();
      },
    }),
  };
}

function describe(store: FileSystemStore, { FileSystemIds = [], MaxResults, NextToken }: Json): Json {
  if (!Array.isArray(FileSystemIds) || FileSystemIds.length > MOST_IDS) {
    throw badRequest(`FileSystemIds must have at most ${MOST_IDS} members`);
  }
  const ids = FileSystemIds.map(String);
  for (const id of ids) {
    if (!ID.test(id)) throw badRequest(`File system ID ${id} is not valid`);
    if (!store.find(id)) throw new AwsError('FileSystemNotFound', `File system '${id}' does not exist.`);
  }
  if (MaxResults !== undefined && !(Number(MaxResults) >= 1 && Number(MaxResults) <= MOST_RESULTS)) {
    throw badRequest('MaxResults must be at least 1');
  }
  const from = NextToken === undefined ? 0 : readToken(String(NextToken));
  const end = from + Math.min(Number(MaxResults ?? PAGE), PAGE);
  const found = ids.length > 0 ? ids.flatMap((id) => store.find(id) ?? []) : store.list();
  return {
    FileSystems: found.slice(from, end),
    ...(end < found.length && { NextToken: Buffer.from(String(end)).toString('base64') }),
  };
}

function readToken(token: string): number {
  const from = Buffer.from(token, 'base64').toString('utf8');
  if (!/^\d+$/.test(from)) throw badRequest('NextToken is not valid');
  return Number(from);
}
