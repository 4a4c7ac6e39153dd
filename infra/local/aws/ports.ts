/**
 * What the stand-ins tell each other in process, where AWS does it behind the scenes: S3 and EventBridge put into
 * queues, pipes too, Batch puts events on the default bus and writes job logs, S3 Batch Operations works on objects.
 *
 * @module
 */

/** The account and Region every stand-in answers for. */
export interface Place {
  accountId: string;
  region: string;
}

export const LOCAL_PLACE: Place = { accountId: '123456789012', region: 'us-east-1' };

/** Who puts a message into a queue, and for which bucket or rule: the queue's policy must allow just that. */
export interface ServiceSender {
  service: 's3.amazonaws.com' | 'events.amazonaws.com' | 'sns.amazonaws.com';
  sourceArn: string;
}

export interface QueuePort {
  /**
   * Puts one message; false when there is no such queue or its policy does not allow it (AWS drops the event and
   * counts a failed invocation).
   */
  deliver(queueArn: string, body: string, sender: ServiceSender): boolean;
  /**
   * Puts messages in, in this order, with the permissions of a role of this account: there is no IAM, so they are not
   * looked at, and the queue's policy has no say.
   * @returns why none was taken; undefined when all were
   */
  send(queueArn: string, bodies: readonly string[]): string | undefined;
  has(queueArn: string): boolean;
  /** The queue's policy lets `sender` put messages; false when there is no such queue. */
  allows(queueArn: string, sender: ServiceSender): boolean;
}

export interface BusEvent {
  source: string;
  detailType: string;
  detail: Record<string, unknown>;
  resources: string[];
}

export interface EventPort {
  /** Puts a service's event on the default bus; the stand-in adds id, time, account and Region. */
  emit(event: BusEvent): void;
}

export interface ObjectPort {
  /**
   * RestoreObject as a task of S3 Batch Operations.
   * @throws AwsError as S3 refuses it; SlowDown when the account's requests of this second are used up
   */
  restore(
    object: { bucket: string; key: string; versionId?: string },
    asked: { tier: 'Standard' | 'Bulk'; days?: number },
  ): void;
  /** @throws AwsError NoSuchBucket, NoSuchKey, InvalidObjectState */
  read(bucket: string, key: string): Promise<{ etag: string; bytes: Buffer }>;
  /** @throws AwsError NoSuchBucket */
  write(bucket: string, key: string, object: { bytes: Buffer; contentType: string }): void;
}

export interface LogPort {
  /** Appends lines to a stream, creating group and stream as the awslogs driver does. Times in epoch milliseconds. */
  append(group: string, stream: string, lines: readonly { timestamp: number; message: string }[]): void;
}

/** An instance as EC2 knows it, also for an hour after its end. */
export interface InstanceRecord {
  id: string;
  type: string;
  /** Such as `us-east-1a`. */
  zone: string;
  region: string;
  lifecycle: 'on-demand' | 'spot';
  imageId: string;
  architecture: 'x86_64' | 'arm64';
  /** Epoch ms. */
  launchedAt: number;
  /** `user`: its Auto Scaling group has ended it. `spot`: EC2 took it back. */
  ended?: { at: number; by: 'user' | 'spot' };
  subnetId: string;
  autoScalingGroup: string;
  tags: Readonly<Record<string, string>>;
  /** Its root volume, which ends with it. */
  volumeId: string;
}

export interface InstancePort {
  list(): readonly InstanceRecord[];
}
