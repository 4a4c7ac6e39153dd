/**
 * Reads CreateJob. What the schema does not allow is MalformedXML, as with all of S3's XML; what it allows and the
 * service does not, is InvalidRequest.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { malformedXml } from '../s3/errors.ts';
import { children, requiredText, text, type XmlNode } from '../s3/xml.ts';
import { invalidRequest, notImplemented } from './errors.ts';
import { FIELDS, type JobRequest } from './model.ts';

const OBJECT_ARN = /^arn:[\w-]+:s3:::([^/]+)\/(.+)$/s;
const BUCKET_ARN = /^arn:[\w-]+:s3:::([^/]+)$/;
const ROLE_ARN = /^arn:[\w-]+:iam::\d{12}:role\/.+$/;
const MOST_TAGS = 50;

export interface CreateJob {
  token: string;
  /** The same for the same request. */
  fingerprint: string;
  request: JobRequest;
}

export function readCreateJob(root: XmlNode): CreateJob {
  const { ClientRequestToken: _, ...rest } = root;
  const token = requiredText(root, 'ClientRequestToken');
  if (token === '' || token.length > 64) throw invalidRequest('ClientRequestToken must have 1 to 64 characters');
  const description = text(root, 'Description');
  if (description !== undefined && description.length > 256)
    throw invalidRequest('Description must have at most 256 characters');
  const roleArn = requiredText(root, 'RoleArn');
  if (!ROLE_ARN.test(roleArn)) throw invalidRequest('Invalid role ARN');
  const report = readReport(child(root, 'Report'));
  const request: JobRequest = {
    confirmationRequired: readBoolean(root, 'ConfirmationRequired', false),
    priority: readInteger(requiredText(root, 'Priority'), 0),
    roleArn,
    tags: readTags(root),
    restore: readOperation(child(root, 'Operation')),
    manifest: readManifest(root),
    ...(description !== undefined && { description }),
    ...(report && { report }),
  };
  return { token, fingerprint: createHash('sha256').update(JSON.stringify(rest)).digest('hex'), request };
}

function readOperation(node: XmlNode): JobRequest['restore'] {
  const [name, ...others] = Object.keys(node).filter((member) => member !== '#text');
  if (name === undefined || others.length > 0) throw malformedXml();
  if (name !== 'S3InitiateRestoreObject') throw notImplemented(`the operation ${name}`);
  const [restore = {}] = children(node, name);
  const tier = text(restore, 'GlacierJobTier');
  // Expedited is not in the schema.
  if (tier !== undefined && tier !== 'STANDARD' && tier !== 'BULK') throw malformedXml();
  const days = text(restore, 'ExpirationInDays');
  return { ...(tier && { tier }), ...(days !== undefined && { days: readInteger(days, 1) }) };
}

function readManifest(root: XmlNode): JobRequest['manifest'] {
  if ('ManifestGenerator' in root) throw notImplemented('ManifestGenerator');
  const manifest = child(root, 'Manifest');
  const spec = child(manifest, 'Spec');
  const format = requiredText(spec, 'Format');
  if (format !== 'S3BatchOperations_CSV_20180820') throw notImplemented(`the manifest format ${format}`);
  const [list = {}] = children(spec, 'Fields');
  const fields = children(list, 'member').map((member) => {
    const field = FIELDS.find((known) => known === member['#text']);
    if (!field) throw malformedXml();
    return field;
  });
  if (!fields.includes('Bucket') || !fields.includes('Key'))
    throw invalidRequest('Fields of the manifest must include Bucket and Key');
  const location = child(manifest, 'Location');
  const objectArn = requiredText(location, 'ObjectArn');
  if (!OBJECT_ARN.test(objectArn)) throw invalidRequest('Invalid manifest object ARN');
  if ('ObjectVersionId' in location) throw notImplemented('ObjectVersionId');
  return { fields, objectArn, etag: requiredText(location, 'ETag').replaceAll('"', '') };
}

function readReport(node: XmlNode): JobRequest['report'] {
  if (!readBoolean(node, 'Enabled')) return undefined;
  const bucketArn = text(node, 'Bucket') ?? '';
  if (!BUCKET_ARN.test(bucketArn)) throw invalidRequest('Invalid report bucket ARN');
  if (text(node, 'Format') !== 'Report_CSV_20180820') throw invalidRequest('Report format must be Report_CSV_20180820');
  const scope = text(node, 'ReportScope');
  if (scope !== 'AllTasks' && scope !== 'FailedTasksOnly') throw invalidRequest('Report scope must be given');
  const prefix = text(node, 'Prefix');
  return { bucketArn, scope, ...(prefix && { prefix }) };
}

function readTags(root: XmlNode): JobRequest['tags'] {
  const [list = {}] = children(root, 'Tags');
  const tags = children(list, 'member').map((tag) => ({
    Key: requiredText(tag, 'Key'),
    Value: requiredText(tag, 'Value'),
  }));
  if (tags.length > MOST_TAGS) throw invalidRequest(`A job has at most ${MOST_TAGS} tags`);
  return tags;
}

function child(node: XmlNode, name: string): XmlNode {
  const [found] = children(node, name);
  if (!found) throw malformedXml();
  return found;
}

/** At most a 32-bit number. */
export function readInteger(value: string, least: number): number {
  const number = Number(value);
  if (!/^\d{1,10}$/.test(value) || number < least || number > 2_147_483_647) throw malformedXml();
  return number;
}

function readBoolean(node: XmlNode, name: string, fallback?: boolean): boolean {
  const value = text(node, name);
  if (value === undefined && fallback !== undefined) return fallback;
  if (value !== 'true' && value !== 'false') throw malformedXml();
  return value === 'true';
}

/** Of an ARN that was checked. */
export function placeOf(arn: string): { bucket: string; key: string } {
  const [, bucket = '', key = ''] = OBJECT_ARN.exec(arn) ?? BUCKET_ARN.exec(arn) ?? [];
  return { bucket, key };
}
