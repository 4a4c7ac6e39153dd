/**
 * The operations on messages: send, receive, delete, change visibility, singly and in batches.
 *
 * @module
 */
import type { JsonOperation } from '../../kit/json-protocol.ts';
import { AwsError } from '../../kit/service.ts';
import { MAX_MESSAGE_BYTES } from './attributes.ts';
import { invalidHandle, invalidParameter, unsupported } from './errors.ts';
import {
  checkBody,
  checkMessageAttributes,
  type Message,
  type MessageAttributes,
  md5,
  md5OfAttributes,
  messageBytes,
} from './message.ts';
import type { Queue } from './queue.ts';
import { required, subjectOfQueue } from './queue-operations.ts';
import type { QueueStore } from './store.ts';

type Json = Record<string, unknown>;

export function messageOperations(store: QueueStore): Record<string, JsonOperation> {
  const byUrl = (input: Json) => store.byUrl(required(input, 'QueueUrl'));
  const onQueue = (run: JsonOperation['run']): JsonOperation => ({ subject: subjectOfQueue, run });

  const deleteOne = (queue: Queue, input: Json) => {
    const { id, receipt } = parseHandle(required(input, 'ReceiptHandle'));
    queue.delete(id, receipt);
    return {};
  };
  const changeOne = (queue: Queue, input: Json) => {
    const { id, receipt } = parseHandle(required(input, 'ReceiptHandle'));
    if (input.VisibilityTimeout === undefined) throw new AwsError('MissingParameter', 'VisibilityTimeout is required.');
    const seconds = wholeNumber(input, 'VisibilityTimeout', 0, 43_200) as number;
    if (!queue.changeVisibility(id, receipt, seconds)) {
      const reason = 'Reason: Message does not exist or is not available for visibility timeout change.';
      throw queue.messages.has(id)
        ? new AwsError('MessageNotInflight', 'The specified message is not in flight.')
        : invalidParameter(`Value for parameter ReceiptHandle is invalid. ${reason}`);
    }
    return {};
  };

  return {
    SendMessage: onQueue((input, request) => {
      const queue = byUrl(input);
      const draft = parseDraft(queue, input);
      const [message] = store.send(queue, [{ ...draft, sender: request.accessKeyId }]);
      return sent(message as Message);
    }),
    SendMessageBatch: onQueue((input, request) => {
      const queue = byUrl(input);
      const entries = batchEntries(input);
      let size = 0;
      for (const entry of entries) {
        size += messageBytes(String(entry.MessageBody ?? ''), (entry.MessageAttributes ?? {}) as MessageAttributes);
      }
      if (size > MAX_MESSAGE_BYTES) {
        throw new AwsError(
          'BatchRequestTooLong',
          `Batch requests cannot be longer than ${MAX_MESSAGE_BYTES} bytes. You have sent ${size} bytes.`,
        );
      }
      const drafts: ReturnType<typeof parseDraft>[] = [];
      const ids: string[] = [];
      const { Failed } = eachEntry(entries, (entry) => {
        drafts.push(parseDraft(queue, entry));
        ids.push(String(entry.Id));
        return {};
      });
      const messages = store.send(
        queue,
        drafts.map((draft) => ({ ...draft, sender: request.accessKeyId })),
      );
      return { Successful: messages.map((message, index) => ({ Id: ids[index], ...sent(message) })), Failed };
    }),
    ReceiveMessage: onQueue(async (input, request) => {
      const queue = byUrl(input);
      const messages = await queue.receive({
        max: wholeNumber(input, 'MaxNumberOfMessages', 1, 10) ?? 1,
        visibilitySeconds: wholeNumber(input, 'VisibilityTimeout', 0, 43_200) ?? queue.seconds('VisibilityTimeout'),
        waitSeconds: wholeNumber(input, 'WaitTimeSeconds', 0, 20) ?? queue.seconds('ReceiveMessageWaitTimeSeconds'),
        gone: request.gone,
      });
      return messages.length > 0 ? { Messages: messages.map((message) => received(message, input)) } : {};
    }),
    DeleteMessage: onQueue((input) => deleteOne(byUrl(input), input)),
    DeleteMessageBatch: onQueue((input) => {
      const queue = byUrl(input);
      return eachEntry(batchEntries(input), (entry) => deleteOne(queue, entry));
    }),
    ChangeMessageVisibility: onQueue((input) => changeOne(byUrl(input), input)),
    ChangeMessageVisibilityBatch: onQueue((input) => {
      const queue = byUrl(input);
      return eachEntry(batchEntries(input), (entry) => changeOne(queue, entry));
    }),
  };
}

function parseDraft(queue: Queue, input: Json) {
  const body = input.MessageBody;
  checkBody(body);
  if (input.MessageGroupId !== undefined || input.MessageDeduplicationId !== undefined) {
    throw unsupported('this stand-in has standard queues only: no MessageGroupId, no MessageDeduplicationId');
  }
  const attributes = (input.MessageAttributes ?? {}) as MessageAttributes;
  checkMessageAttributes(attributes);
  const limit = queue.seconds('MaximumMessageSize');
  if (messageBytes(body, attributes) > limit) {
    throw invalidParameter(`One or more parameters are invalid. Reason: Message must be shorter than ${limit} bytes.`);
  }
  const delaySeconds = wholeNumber(input, 'DelaySeconds', 0, 900);
  return {
    body,
    ...(Object.keys(attributes).length > 0 && { attributes }),
    ...(delaySeconds !== undefined && { delaySeconds }),
  };
}

function sent(message: Message): Json {
  return {
    MessageId: message.id,
    MD5OfMessageBody: md5(message.body),
    ...(message.attributes && { MD5OfMessageAttributes: md5OfAttributes(message.attributes) }),
  };
}

function received(message: Message, input: Json): Json {
  const wantedSystem = [...strings(input.AttributeNames), ...strings(input.MessageSystemAttributeNames)];
  const system: Record<string, string> = {
    ApproximateFirstReceiveTimestamp: String(message.firstReceivedAt),
    ApproximateReceiveCount: String(message.receives),
    SenderId: message.sender,
    SentTimestamp: String(message.sentAt),
    ...(message.deadLetterSource && { DeadLetterQueueSourceArn: message.deadLetterSource }),
  };
  const systemKept = Object.entries(system).filter(
    ([name]) => wantedSystem.includes('All') || wantedSystem.includes(name),
  );
  const wanted = strings(input.MessageAttributeNames);
  const kept = Object.entries(message.attributes ?? {}).filter(([name]) =>
    wanted.some((pattern) => namesAttribute(pattern, name)),
  );
  const attributes = Object.fromEntries(kept);
  return {
    MessageId: message.id,
    ReceiptHandle: Buffer.from(`${message.id} ${message.receipt}`).toString('base64'),
    Body: message.body,
    MD5OfBody: md5(message.body),
    ...(systemKept.length > 0 && { Attributes: Object.fromEntries(systemKept) }),
    ...(kept.length > 0 && { MessageAttributes: attributes, MD5OfMessageAttributes: md5OfAttributes(attributes) }),
  };
}

function namesAttribute(pattern: string, name: string): boolean {
  return (
    pattern === 'All' ||
    pattern === '.*' ||
    pattern === name ||
    (pattern.endsWith('.*') && name.startsWith(pattern.slice(0, -1)))
  );
}

function parseHandle(handle: string): { id: string; receipt: string } {
  const [id, receipt] = Buffer.from(handle, 'base64').toString().split(' ');
  if (!id || !receipt || Buffer.from(`${id} ${receipt}`).toString('base64') !== handle) throw invalidHandle(handle);
  return { id, receipt };
}

function batchEntries(input: Json): Json[] {
  const entries = (input.Entries ?? []) as Json[];
  if (entries.length === 0)
    throw new AwsError('EmptyBatchRequest', 'There should be at least one entry in the request.');
  if (entries.length > 10) {
    throw new AwsError(
      'TooManyEntriesInBatchRequest',
      `Maximum number of entries per request are 10. You have sent ${entries.length}.`,
    );
  }
  const ids = entries.map((entry) => String(entry.Id ?? ''));
  if (ids.some((id) => !/^[A-Za-z0-9_-]{1,80}$/.test(id))) {
    throw new AwsError(
      'InvalidBatchEntryId',
      'A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.',
    );
  }
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) throw new AwsError('BatchEntryIdsNotDistinct', `Id ${twice} repeated.`);
  return entries;
}

/** Runs each entry on its own: one that fails is reported and does not stop the others. */
function eachEntry(entries: readonly Json[], run: (entry: Json) => Json) {
  const Successful: Json[] = [];
  const Failed: Json[] = [];
  for (const entry of entries) {
    try {
      Successful.push({ Id: entry.Id, ...run(entry) });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      Failed.push({ Id: entry.Id, SenderFault: error.status < 500, Code: error.code, Message: error.message });
    }
  }
  return { Successful, Failed };
}

function wholeNumber(input: Json, name: string, least: number, most: number): number | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) {
    throw invalidParameter(
      `Value ${String(value)} for parameter ${name} is invalid. Reason: Must be >= ${least} and <= ${most}, if provided.`,
    );
  }
  return value as number;
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
