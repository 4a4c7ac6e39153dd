/**
 * Queue attributes: which may be set, within which bounds, and what a queue has when nothing was said.
 *
 * @module
 */
import { AwsError } from '../../kit/service.ts';
import { unsupported } from './errors.ts';
import { policyFault } from './policy.ts';

export type Attributes = Record<string, string>;

/** What one message may hold, and what one batch may hold in all. */
export const MAX_MESSAGE_BYTES = 1_048_576;

const NUMBERS: Readonly<Record<string, readonly [number, number]>> = {
  DelaySeconds: [0, 900],
  MaximumMessageSize: [1024, MAX_MESSAGE_BYTES],
  MessageRetentionPeriod: [60, 1_209_600],
  ReceiveMessageWaitTimeSeconds: [0, 20],
  VisibilityTimeout: [0, 43_200],
  KmsDataKeyReusePeriodSeconds: [60, 86_400],
};

const DEFAULTS: Readonly<Attributes> = {
  DelaySeconds: '0',
  MaximumMessageSize: String(MAX_MESSAGE_BYTES),
  MessageRetentionPeriod: '345600',
  ReceiveMessageWaitTimeSeconds: '0',
  VisibilityTimeout: '30',
  SqsManagedSseEnabled: 'true',
};

const TEXTS = ['Policy', 'RedrivePolicy', 'RedriveAllowPolicy', 'KmsMasterKeyId', 'SqsManagedSseEnabled'];
const FIFO_ONLY = ['FifoQueue', 'ContentBasedDeduplication', 'DeduplicationScope', 'FifoThroughputLimit'];

/** What GetQueueAttributes can be asked for beyond what can be set. */
export const COMPUTED = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesDelayed',
  'ApproximateNumberOfMessagesNotVisible',
  'CreatedTimestamp',
  'LastModifiedTimestamp',
  'QueueArn',
];

export const KNOWN = [...Object.keys(NUMBERS), ...TEXTS, ...COMPUTED];

export interface RedrivePolicy {
  deadLetterTargetArn: string;
  maxReceiveCount: number;
}

/** A queue's attributes as given laid over the defaults; an empty text takes a setting away. */
export function withDefaults(given: Attributes): Attributes {
  return dropEmpty({ ...DEFAULTS, ...given });
}

export function dropEmpty(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== ''));
}

/**
 * Refuses what SQS refuses.
 * @throws AwsError InvalidAttributeName, InvalidAttributeValue, UnsupportedOperation for FIFO queues
 */
export function checkAttributes(attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (FIFO_ONLY.includes(name)) throw unsupported(`this stand-in has standard queues only, so no ${name}`);
    const bounds = NUMBERS[name];
    if (bounds) {
      const number = Number(value);
      if (!/^\d+$/.test(value) || number < bounds[0] || number > bounds[1]) throw invalidValue(name);
    } else if (!TEXTS.includes(name)) {
      throw new AwsError('InvalidAttributeName', `Unknown Attribute ${name}.`);
    }
    if (value === '') continue;
    if (name === 'RedriveAllowPolicy') parseObject(name, value);
    const fault = name === 'Policy' ? policyFault(value) : undefined;
    if (fault !== undefined) throw invalidValue(name, fault);
    if (name === 'RedrivePolicy') parseRedrive(value);
  }
}

export function parseRedrive(value: string): RedrivePolicy {
  const { deadLetterTargetArn, maxReceiveCount } = parseObject('RedrivePolicy', value);
  const count = Number(maxReceiveCount);
  if (typeof deadLetterTargetArn !== 'string' || !deadLetterTargetArn.startsWith('arn:aws:sqs:')) {
    throw invalidValue('RedrivePolicy', 'Dead-letter target is not a queue');
  }
  if (!Number.isInteger(count) || count < 1 || count > 1000) {
    throw invalidValue('RedrivePolicy', 'Invalid value for maxReceiveCount: must be between 1 and 1000');
  }
  return { deadLetterTargetArn, maxReceiveCount: count };
}

function invalidValue(name: string, reason = ''): AwsError {
  return new AwsError(
    'InvalidAttributeValue',
    `Invalid value for the parameter ${name}.${reason === '' ? '' : ` Reason: ${reason}.`}`,
  );
}

function parseObject(name: string, value: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(value);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
      return parsed as Record<string, unknown>;
  } catch {
    // Said below, the same way as for JSON that is no object.
  }
  throw invalidValue(name, 'it is not a JSON object');
}
