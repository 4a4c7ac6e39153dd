/**
 * The operations on buckets and their settings.
 *
 * @module
 */
import type { S3Operation } from './call.ts';
import { checkBucketName } from './describe.ts';
import { malformedXml, S3Error } from './errors.ts';
import { notificationXml } from './notifications.ts';
import { readXml, text, xmlResponse } from './xml.ts';

const createBucket: S3Operation = async ({ store, place }, { request, bucket: name }) => {
  checkBucketName(name);
  const hasBody =
    Number(request.headers['content-length'] ?? 0) > 0 || request.headers['transfer-encoding'] !== undefined;
  const wanted = hasBody ? text(await readXml(request, 'CreateBucketConfiguration'), 'LocationConstraint') : undefined;
  if (wanted === 'us-east-1') {
    throw new S3Error('InvalidLocationConstraint', 'The specified location-constraint is not valid', 400, {
      fields: { LocationConstraint: wanted },
    });
  }
  if ((wanted ?? 'us-east-1') !== place.region) {
    throw new S3Error(
      'IllegalLocationConstraintException',
      `The ${wanted ?? 'unspecified'} location constraint is incompatible for the region specific endpoint this request was sent to.`,
    );
  }
  const created = { status: 200, headers: { location: `/${name}` } };
  if (store.buckets.has(name)) {
    // The oldest Region answers 200 to the owner, as it did before there were others.
    if (place.region === 'us-east-1') return created;
    const message = 'Your previous request to create the named bucket succeeded and you already own it.';
    throw new S3Error('BucketAlreadyOwnedByYou', message, 409, { fields: { BucketName: name } });
  }
  store.record({ op: 'bucket', settings: { name, createdAt: store.clock.now() } });
  return created;
};

const headBucket: S3Operation = ({ store, place }, { bucket }) => {
  store.bucket(bucket);
  return { status: 200, headers: { 'x-amz-bucket-region': place.region, 'content-type': 'application/xml' } };
};

const deleteBucket: S3Operation = ({ store }, { bucket: name }) => {
  const bucket = store.bucket(name);
  if (bucket.versions.size > 0) {
    const message =
      bucket.settings.versioning === undefined
        ? 'The bucket you tried to delete is not empty'
        : 'The bucket you tried to delete is not empty. You must delete all versions in the bucket.';
    throw new S3Error('BucketNotEmpty', message, 409, { fields: { BucketName: name } });
  }
  for (const upload of bucket.uploads.keys()) store.record({ op: 'abort', bucket: name, upload });
  store.record({ op: 'endBucket', bucket: name });
  return { status: 204 };
};

const listBuckets: S3Operation = ({ store, place }, { request }) => {
  const prefix = request.query.get('prefix') ?? '';
  const limit = Number(request.query.get('max-buckets') ?? 10_000);
  const after = Buffer.from(request.query.get('continuation-token') ?? '', 'base64url').toString();
  const all = [...store.buckets.values()]
    .map(({ settings }) => settings)
    .filter(({ name }) => name.startsWith(prefix) && name > after)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const page = all.slice(0, limit);
  return xmlResponse('ListAllMyBucketsResult', {
    Buckets: {
      Bucket: page.map(({ name, createdAt }) => ({ Name: name, CreationDate: new Date(createdAt).toISOString() })),
    },
    Owner: { ID: place.accountId },
    Prefix: request.query.get('prefix') ?? undefined,
    ContinuationToken: all.length > limit ? Buffer.from(page.at(-1)?.name ?? '').toString('base64url') : undefined,
  });
};

const getLocation: S3Operation = ({ store, place }, { bucket }) => {
  store.bucket(bucket);
  const location = place.region === 'us-east-1' ? '' : place.region;
  const response = xmlResponse('LocationConstraint', {});
  return { ...response, body: String(response.body).replace('></Location', `>${location}</Location`) };
};

const getVersioning: S3Operation = ({ store }, { bucket }) =>
  xmlResponse('VersioningConfiguration', { Status: store.bucket(bucket).settings.versioning });

const putVersioning: S3Operation = async ({ store }, { request, bucket: name }) => {
  store.bucket(name);
  const root = await readXml(request, 'VersioningConfiguration');
  const status = text(root, 'Status');
  if (status !== 'Enabled' && status !== 'Suspended') throw malformedXml();
  store.record({ op: 'bucket', settings: { ...store.bucket(name).settings, versioning: status } });
  return { status: 200 };
};

const getNotification: S3Operation = ({ store }, { bucket }) =>
  xmlResponse('NotificationConfiguration', notificationXml(store.bucket(bucket).settings.notification));

const putNotification: S3Operation = async ({ store, notifier }, { request, bucket: name }) => {
  store.bucket(name);
  const root = await readXml(request, 'NotificationConfiguration');
  const bucket = store.bucket(name);
  const notification = notifier.configure(bucket, root);
  store.record({ op: 'bucket', settings: { ...bucket.settings, notification } });
  return { status: 200 };
};

export const bucketOperations: Readonly<Record<string, S3Operation>> = {
  CreateBucket: createBucket,
  HeadBucket: headBucket,
  DeleteBucket: deleteBucket,
  ListBuckets: listBuckets,
  GetBucketLocation: getLocation,
  GetBucketVersioning: getVersioning,
  PutBucketVersioning: putVersioning,
  GetBucketNotificationConfiguration: getNotification,
  PutBucketNotificationConfiguration: putNotification,
};
