/**
 * The operations on queues themselves.
 *
 * @module
 */
import type { JsonOperation } from '../../kit/json-protocol.ts';
import { AwsError, type AwsRequest } from '../../kit/service.ts';
import type { Place } from '../ports.ts';
import { type Attributes, COMPUTED, checkAttributes, dropEmpty, KNOWN, withDefaults } from './attributes.ts';
import { invalidParameter, missingParameter, queueDoesNotExist, unsupported } from './errors.ts';
import type { Queue } from './queue.ts';
import type { QueueStore } from './store.ts';

export function queueOperations(store: QueueStore, place: Place): Record<string, JsonOperation> {
  const urlOf = (name: string, request: AwsRequest) =>
    `http://${request.headers.host ?? '127.0.0.1'}/${place.accountId}/${name}`;
  const byUrl = (input: Record<string, unknown>) => store.byUrl(required(input, 'QueueUrl'));

  return {
    CreateQueue: {
      subject: (input) => String(input.QueueName ?? ''),
      run(input, request) {
        const name = required(input, 'QueueName');
        const given = dropEmpty((input.Attributes ?? {}) as Attributes);
        if (name.endsWith('.fifo')) throw unsupported('this stand-in has standard queues only');
        if (!/^[A-Za-z0-9_-]{1,80}$/.test(name)) {
          throw invalidParameter(
            'Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length',
          );
        }
        checkAttributes(given);
        const attributes = withDefaults(given);
        const present = store.find(name);
        if (present) {
          // Only what the caller named is compared: a queue changed later is still "the same" to a bare CreateQueue.
          const differs = Object.keys(given).find(
            (key) => !sameValue(key, given[key], present.description.attributes[key]),
          );
          if (differs !== undefined) {
            throw new AwsError(
              'QueueNameExists',
              `A queue already exists with the same name and a different value for attribute ${differs}`,
            );
          }
        } else {
          store.create({ name, attributes, tags: (input.tags ?? {}) as Record<string, string> });
        }
        return { QueueUrl: urlOf(name, request) };
      },
    },
    GetQueueUrl: {
      subject: (input) => String(input.QueueName ?? ''),
      run(input, request) {
        const name = required(input, 'QueueName');
        const owner = input.QueueOwnerAWSAccountId;
        if (!store.find(name) || (owner !== undefined && owner !== place.accountId)) throw queueDoesNotExist();
        return { QueueUrl: urlOf(name, request) };
      },
    },
    ListQueues: {
      run(input, request) {
        const limit = Number(input.MaxResults ?? 1000);
        if (!(limit >= 1 && limit <= 1000))
          throw invalidParameter('Value for parameter MaxResults is invalid: 1 to 1000.');
        const after = Buffer.from(String(input.NextToken ?? ''), 'base64').toString();
        const names = store
          .names()
          .filter((name) => name.startsWith(String(input.QueueNamePrefix ?? '')) && name > after);
        const page = names.slice(0, limit);
        const more = names.length > limit && input.MaxResults !== undefined;
        return {
          ...(page.length > 0 && { QueueUrls: page.map((name) => urlOf(name, request)) }),
          ...(more && { NextToken: Buffer.from(page.at(-1) ?? '').toString('base64') }),
        };
      },
    },
    DeleteQueue: {
      subject: subjectOfQueue,
      run(input) {
        store.end(byUrl(input));
        return {};
      },
    },
    PurgeQueue: {
      subject: subjectOfQueue,
      run(input) {
        store.purge(byUrl(input));
        return {};
      },
    },
    GetQueueAttributes: {
      subject: subjectOfQueue,
      run(input) {
        const queue = byUrl(input);
        const names = (input.AttributeNames ?? []) as string[];
        for (const name of names) {
          if (name !== 'All' && !KNOWN.includes(name))
            throw new AwsError('InvalidAttributeName', `Unknown Attribute ${name}.`);
        }
        const all = { ...queue.description.attributes, ...computed(store, queue, names) };
        const wanted = names.includes('All')
          ? Object.entries(all)
          : Object.entries(all).filter(([key]) => names.includes(key));
        return wanted.length > 0 ? { Attributes: Object.fromEntries(wanted) } : {};
      },
    },
    SetQueueAttributes: {
      subject: subjectOfQueue,
      run(input) {
        const queue = byUrl(input);
        const attributes = (input.Attributes ?? {}) as Attributes;
        checkAttributes(attributes);
        store.update(queue, { attributes: dropEmpty({ ...queue.description.attributes, ...attributes }) });
        return {};
      },
    },
    ListQueueTags: {
      subject: subjectOfQueue,
      run: (input) => ({ Tags: byUrl(input).description.tags }),
    },
    TagQueue: {
      subject: subjectOfQueue,
      run(input) {
        const queue = byUrl(input);
        store.update(queue, { tags: { ...queue.description.tags, ...((input.Tags ?? {}) as Record<string, string>) } });
        return {};
      },
    },
    UntagQueue: {
      subject: subjectOfQueue,
      run(input) {
        const queue = byUrl(input);
        const dropped = (input.TagKeys ?? []) as string[];
        const kept = Object.entries(queue.description.tags).filter(([key]) => !dropped.includes(key));
        store.update(queue, { tags: Object.fromEntries(kept) });
        return {};
      },
    },
  };
}

export function subjectOfQueue(input: Record<string, unknown>): string {
  const url = String(input.QueueUrl ?? '');
  return url.slice(url.lastIndexOf('/') + 1);
}

export function required(input: Record<string, unknown>, name: string): string {
  const value = input[name];
  if (typeof value !== 'string' || value === '') throw missingParameter(name);
  return value;
}

function computed(store: QueueStore, queue: Queue, names: readonly string[]): Attributes {
  if (!names.some((name) => name === 'All' || COMPUTED.includes(name))) return {};
  const counts = queue.counts();
  const { name, createdAt, modifiedAt } = queue.description;
  return {
    ApproximateNumberOfMessages: String(counts.visible),
    ApproximateNumberOfMessagesDelayed: String(counts.delayed),
    ApproximateNumberOfMessagesNotVisible: String(counts.inFlight),
    CreatedTimestamp: String(Math.floor(createdAt / 1000)),
    LastModifiedTimestamp: String(Math.floor(modifiedAt / 1000)),
    QueueArn: store.arn(name),
  };
}

/** Policies are equal when their JSON is, however it was spaced. */
function sameValue(key: string, one: string | undefined, other: string | undefined): boolean {
  if (one === other) return true;
  if (one === undefined || other === undefined || !key.endsWith('Policy')) return false;
  return JSON.stringify(JSON.parse(one)) === JSON.stringify(JSON.parse(other));
}
