/**
 * PutEvents and TestEventPattern.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import type { JsonOperation } from '../../kit/json-protocol.ts';
import { AwsError } from '../../kit/service.ts';
import { matches } from './pattern.ts';
import { checkBus, checkedPattern, validation } from './rule-operations.ts';
import type { RuleStore } from './store.ts';

interface PutEventsEntry {
  Source?: string;
  DetailType?: string;
  Detail?: string;
  Resources?: string[];
  /** Epoch seconds. */
  Time?: number;
  EventBusName?: string;
}

const MAX_ENTRIES = 10;
/** Per entry, and for a request in all. */
const MAX_BYTES = 1_048_576;

export function eventOperations(store: RuleStore): Record<string, JsonOperation> {
  return {
    PutEvents: {
      subject: (input) => ((input.Entries ?? []) as PutEventsEntry[]).map((entry) => entry.Source ?? '').join(','),
      run(input) {
        const entries = (input.Entries ?? []) as PutEventsEntry[];
        if (entries.length === 0 || entries.length > MAX_ENTRIES) {
          throw validation(
            `1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length ${
              entries.length === 0 ? 'greater than or equal to 1' : `less than or equal to ${MAX_ENTRIES}`
            }`,
          );
        }
        if (entries.reduce((sum, entry) => sum + entryBytes(entry), 0) > MAX_BYTES) {
          throw validation(`Total size of the entries in the request is over the limit.`);
        }
        const results = entries.map((entry) => putOne(store, entry));
        return {
          FailedEntryCount: results.filter((result) => 'ErrorCode' in result).length,
          Entries: results,
        };
      },
    },
    TestEventPattern: {
      run(input) {
        const pattern = checkedPattern(String(input.EventPattern ?? ''));
        const event = parseEvent(String(input.Event ?? ''));
        const missing = ['id', 'account', 'source', 'time', 'region', 'resources', 'detail-type'].find(
          (name) => !(name in event),
        );
        if (missing !== undefined)
          throw validation(`Parameter Event is not valid. Reason: ${missing} is a required field.`);
        return { Result: matches(pattern, event) };
      },
    },
  };
}

function putOne(store: RuleStore, entry: PutEventsEntry): Record<string, string> {
  const refused = (ErrorCode: string, ErrorMessage: string) => ({ ErrorCode, ErrorMessage });
  const { Source, DetailType, Detail } = entry;
  if (!Source)
    return refused('InvalidArgument', 'Parameter Source is not valid. Reason: Source is a required argument.');
  if (!DetailType) {
    return refused('InvalidArgument', 'Parameter DetailType is not valid. Reason: DetailType is a required argument.');
  }
  if (!Detail)
    return refused('InvalidArgument', 'Parameter Detail is not valid. Reason: Detail is a required argument.');
  if (Source.startsWith('aws.')) {
    return refused('NotAuthorizedForSourceException', 'Not authorized for the source.');
  }
  let detail: unknown;
  try {
    detail = JSON.parse(Detail);
  } catch {
    return refused('MalformedDetail', 'Detail is malformed.');
  }
  if (typeof detail !== 'object' || detail === null || Array.isArray(detail)) {
    return refused('MalformedDetail', 'Detail is malformed.');
  }
  // As the service does it: an event for a bus that does not exist is accepted and matches no rule.
  if (!isDefaultBus(entry.EventBusName)) return { EventId: randomUUID() };
  const EventId = store.publish({
    source: Source,
    'detail-type': DetailType,
    detail: detail as Record<string, unknown>,
    resources: entry.Resources ?? [],
    ...(entry.Time !== undefined && { time: new Date(entry.Time * 1000) }),
  });
  return { EventId };
}

function isDefaultBus(name: string | undefined): boolean {
  try {
    checkBus(name);
    return true;
  } catch {
    return false;
  }
}

/** The size as EventBridge reckons it: 14 bytes for a time, and the UTF-8 bytes of the texts. */
function entryBytes(entry: PutEventsEntry): number {
  const texts = [entry.Source, entry.DetailType, entry.Detail, ...(entry.Resources ?? [])];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text ?? ''), entry.Time === undefined ? 0 : 14);
}

function parseEvent(text: string): Record<string, unknown> {
  try {
    const event: unknown = JSON.parse(text);
    if (typeof event === 'object' && event !== null && !Array.isArray(event)) return event as Record<string, unknown>;
  } catch {
    // Said below, the same way as for JSON that is no object.
  }
  throw new AwsError('ValidationException', 'Parameter Event is not valid. Reason: it is not a JSON object.');
}
