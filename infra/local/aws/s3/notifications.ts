/**
 * Notifications: the configuration of a bucket, and the messages S3 sends to queues and to EventBridge.
 *
 * @module
 */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Clock } from '../../kit/clock.ts';
import type { EventPort, Place, QueuePort, ServiceSender } from '../ports.ts';
import { urlEncode } from './describe.ts';
import { invalidArgument, malformedXml, notImplemented } from './errors.ts';
import type { Bucket, NotificationConfiguration, ObjectVersion, QueueRule } from './model.ts';
import { children, requiredText, text, type XmlNode, type XmlObject } from './xml.ts';

export interface Notifier {
  /** Reads and checks a configuration; sends the test event to queues that are new in it. */
  configure(bucket: Bucket, root: XmlNode): NotificationConfiguration;
  /** Tells everyone who wants to know about a write or a delete. */
  tell(bucket: Bucket, kind: ObjectEvent, version: ObjectVersion, caller: { accessKeyId: string }): void;
}

type ObjectEvent = keyof typeof KINDS;

/** Event name for queues; detail type and reason for EventBridge. */
const KINDS = {
  'ObjectCreated:Put': ['Object Created', 'PutObject'],
  'ObjectCreated:Copy': ['Object Created', 'CopyObject'],
  'ObjectCreated:CompleteMultipartUpload': ['Object Created', 'CompleteMultipartUpload'],
  'ObjectRemoved:Delete': ['Object Deleted', 'DeleteObject'],
  'ObjectRemoved:DeleteMarkerCreated': ['Object Deleted', 'DeleteObject'],
  'LifecycleExpiration:Delete': ['Object Deleted', 'Lifecycle Expiration'],
  'LifecycleExpiration:DeleteMarkerCreated': ['Object Deleted', 'Lifecycle Expiration'],
  'ObjectRestore:Post': ['Object Restore Initiated', undefined],
  'ObjectRestore:Completed': ['Object Restore Completed', undefined],
  'ObjectRestore:Delete': ['Object Restore Expired', undefined],
} as const;

/** What S3 lets one subscribe to, also where this stand-in has no occasion to send it. */
const KNOWN_EVENTS = new Set(
  `s3:ReducedRedundancyLostObject s3:ObjectCreated:* s3:ObjectCreated:Put s3:ObjectCreated:Post s3:ObjectCreated:Copy
  s3:ObjectCreated:CompleteMultipartUpload s3:ObjectRemoved:* s3:ObjectRemoved:Delete
  s3:ObjectRemoved:DeleteMarkerCreated s3:ObjectRestore:* s3:ObjectRestore:Post s3:ObjectRestore:Completed
  s3:ObjectRestore:Delete s3:Replication:* s3:LifecycleTransition s3:IntelligentTiering s3:ObjectAcl:Put
  s3:LifecycleExpiration:* s3:LifecycleExpiration:Delete s3:LifecycleExpiration:DeleteMarkerCreated s3:ObjectTagging:*
  s3:ObjectTagging:Put s3:ObjectTagging:Delete`.split(/\s+/),
);

export function createNotifier(options: {
  clock: Clock;
  place: Place;
  queues: QueuePort;
  events: EventPort;
}): Notifier {
  const { clock, place, queues, events } = options;
  return {
    configure(bucket, root) {
      for (const other of ['TopicConfiguration', 'CloudFunctionConfiguration']) {
        if (other in root) throw notImplemented(other);
      }
      const rules = children(root, 'QueueConfiguration').map(parseRule);
      const sender = senderOf(bucket);
      for (const { queueArn } of rules) {
        if (!queues.has(queueArn)) throw invalidDestination(queueArn, 'The destination queue does not exist');
        if (!queues.allows(queueArn, sender)) {
          const why = 'Permissions on the destination queue do not allow S3 to publish notifications from this bucket';
          throw invalidDestination(queueArn, why);
        }
      }
      refuseOverlaps(rules);
      for (const queueArn of new Set(rules.map((rule) => rule.queueArn))) {
        const test = {
          Service: 'Amazon S3',
          Event: 's3:TestEvent',
          Time: clock.date().toISOString(),
          Bucket: bucket.settings.name,
          RequestId: randomBytes(8).toString('hex').toUpperCase(),
          HostId: randomBytes(40).toString('base64'),
        };
        queues.deliver(queueArn, JSON.stringify(test), sender);
      }
      return { queues: rules, eventBridge: 'EventBridgeConfiguration' in root };
    },
    tell(bucket, kind, version, caller) {
      const { notification, name } = bucket.settings;
      if (!notification) return;
      const request = { id: randomBytes(8).toString('hex').toUpperCase(), accessKeyId: caller.accessKeyId };
      for (const rule of notification.queues) {
        if (!wants(rule, kind, version.key)) continue;
        const record = queueRecord({ kind, version, bucket, rule, request, place, now: clock.date() });
        queues.deliver(rule.queueArn, JSON.stringify({ Records: [record] }), senderOf(bucket));
      }
      if (!notification.eventBridge) return;
      const [detailType, reason] = KINDS[kind];
      const expired = kind.startsWith('LifecycleExpiration:');
      const removed = expired || kind.startsWith('ObjectRemoved:');
      const restored = kind === 'ObjectRestore:Completed';
      events.emit({
        source: 'aws.s3',
        detailType,
        resources: [`arn:aws:s3:::${name}`],
        detail: {
          version: '0',
          bucket: { name },
          object: {
            key: version.key,
            ...(!removed && { size: version.size }),
            ...(!version.deleteMarker && { etag: version.etag }),
            ...(bucket.settings.versioning && { 'version-id': version.id }),
            sequencer: version.sequencer,
          },
          'request-id': request.id,
          requester: expired ? caller.accessKeyId : place.accountId,
          ...(!restored && !expired && { 'source-ip-address': '127.0.0.1' }),
          ...(reason !== undefined && { reason }),
          ...(kind.startsWith('ObjectRestore:') && { 'source-storage-class': version.storageClass }),
          ...(restored &&
            version.restore?.expiresAt !== undefined && { 'restore-expiry-time': iso(version.restore.expiresAt) }),
          ...(removed && { 'deletion-type': version.deleteMarker ? 'Delete Marker Created' : 'Permanently Deleted' }),
        },
      });
    },
  };
}

function senderOf(bucket: Bucket): ServiceSender {
  return { service: 's3.amazonaws.com', sourceArn: `arn:aws:s3:::${bucket.settings.name}` };
}

const invalidDestination = (queueArn: string, why: string) =>
  invalidArgument('Unable to validate the following destination configurations', queueArn, why);

function queueRecord(about: {
  kind: ObjectEvent;
  version: ObjectVersion;
  bucket: Bucket;
  rule: QueueRule;
  request: { id: string; accessKeyId: string };
  place: Place;
  now: Date;
}) {
  const { kind, version, bucket, rule, request, place } = about;
  const { name } = bucket.settings;
  const principalId = `AWS:${request.accessKeyId}`;
  const created = kind.startsWith('ObjectCreated:');
  const restoring = kind.startsWith('ObjectRestore:');
  return {
    eventVersion: '2.1',
    eventSource: 'aws:s3',
    awsRegion: place.region,
    eventTime: about.now.toISOString(),
    eventName: kind,
    userIdentity: { principalId },
    requestParameters: { sourceIPAddress: '127.0.0.1' },
    responseElements: { 'x-amz-request-id': request.id, 'x-amz-id-2': randomBytes(40).toString('base64') },
    s3: {
      s3SchemaVersion: '1.0',
      configurationId: rule.id,
      bucket: { name, ownerIdentity: { principalId: place.accountId }, arn: `arn:aws:s3:::${name}` },
      object: {
        key: urlEncode(version.key),
        ...((created || restoring) && { size: version.size }),
        ...((created || restoring || version.deleteMarker) && { eTag: version.etag }),
        ...(bucket.settings.versioning && { versionId: version.id }),
        ...(!restoring && { sequencer: version.sequencer }),
      },
    },
    ...(kind === 'ObjectRestore:Completed' && {
      glacierEventData: {
        restoreEventData: {
          ...(version.restore?.expiresAt !== undefined && {
            lifecycleRestorationExpiryTime: iso(version.restore.expiresAt),
          }),
          lifecycleRestoreStorageClass: version.storageClass,
        },
      },
    }),
  };
}

const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();

function wants(rule: QueueRule, kind: string, key: string): boolean {
  const named = rule.events.some(
    (event) => event === `s3:${kind}` || event === `s3:${kind.slice(0, kind.indexOf(':'))}:*`,
  );
  return named && key.startsWith(rule.prefix ?? '') && key.endsWith(rule.suffix ?? '');
}

function parseRule(node: XmlNode): QueueRule {
  const queueArn = requiredText(node, 'Queue');
  if (!/^arn:aws[\w-]*:sqs:[\w-]*:\d{12}:[\w.-]+$/.test(queueArn)) {
    throw invalidArgument('The ARN could not be parsed', 'Queue', queueArn);
  }
  const events = children(node, 'Event').map((event) => String(event['#text'] ?? ''));
  if (events.length === 0) throw malformedXml();
  const unknown = events.find((event) => !KNOWN_EVENTS.has(event));
  if (unknown !== undefined) throw invalidArgument('The event is not supported for notifications', 'Event', unknown);
  const rule: QueueRule = { id: text(node, 'Id') || randomUUID(), queueArn, events };
  const [filter] = children(node, 'Filter');
  const [key] = children(filter ?? {}, 'S3Key');
  for (const one of children(key ?? {}, 'FilterRule')) {
    const name = requiredText(one, 'Name').toLowerCase();
    if (name !== 'prefix' && name !== 'suffix') {
      throw invalidArgument('filter rule name must be either prefix or suffix', 'FilterRule.Name', name);
    }
    if (rule[name] !== undefined) {
      throw invalidArgument(`Cannot specify more than one ${name} rule in a filter.`, 'FilterRule.Name', name);
    }
    rule[name] = text(one, 'Value') ?? '';
  }
  return rule;
}

/** S3 refuses configurations where one object could match two rules for the same event. */
function refuseOverlaps(rules: readonly QueueRule[]): void {
  const family = (event: string) => event.replace(/:\*$/, '');
  const sameEvent = (one: string, other: string) =>
    one === other ||
    (one.endsWith(':*') && other.startsWith(`${family(one)}:`)) ||
    (other.endsWith(':*') && one.startsWith(`${family(other)}:`));
  const either = (one: string, other: string, test: 'startsWith' | 'endsWith') => one[test](other) || other[test](one);
  for (const [index, one] of rules.entries()) {
    for (const other of rules.slice(index + 1)) {
      if (!one.events.some((event) => other.events.some((another) => sameEvent(event, another)))) continue;
      if (!either(one.prefix ?? '', other.prefix ?? '', 'startsWith')) continue;
      if (!either(one.suffix ?? '', other.suffix ?? '', 'endsWith')) continue;
      throw invalidArgument(
        'Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are overlapping for the same event type.',
        'Configuration',
        `${one.id}, ${other.id}`,
      );
    }
  }
}

export function notificationXml(configuration: NotificationConfiguration | undefined): XmlObject {
  if (!configuration) return {};
  return {
    QueueConfiguration: configuration.queues.map((rule): XmlObject => {
      const rules: XmlObject[] = [];
      if (rule.prefix !== undefined) rules.push({ Name: 'Prefix', Value: rule.prefix });
      if (rule.suffix !== undefined) rules.push({ Name: 'Suffix', Value: rule.suffix });
      const filter: XmlObject = rules.length > 0 ? { Filter: { S3Key: { FilterRule: rules } } } : {};
      return { Id: rule.id, Queue: rule.queueArn, Event: rule.events, ...filter };
    }),
    ...(configuration.eventBridge && { EventBridgeConfiguration: {} }),
  };
}
