/**
 * The stand-in for a registry mirror of Docker Hub: the read half of the OCI distribution API for the images of this
 * machine. It takes requests without a signature; in the call log and fault plan its service is `registry`.
 *
 * @module
 */
import { DOCKER_HUB } from '../../../../lib/images/reference.ts';
import { AwsError, type AwsRequest, type AwsResponse, type AwsService } from '../../kit/service.ts';
import { readImages } from '../image-file.ts';
import { type Blob, type StoredImage, storedImages } from './images.ts';

const DIGEST = /^sha256:[0-9a-f]{64}$/;
/** Path components of a repository, as the specification writes them. */
const REPOSITORY = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^\w[\w.-]{0,127}$/;

const unknownName = (name: string) =>
  new AwsError('NAME_UNKNOWN', `repository name not known to registry: ${name}`, 404);

export function createRegistry(options: { imagesFile: string }): { service: AwsService } {
  return {
    service: {
      names: ['registry'],
      unsigned: /^\/v2(\/|$)/,
      async prepare(request) {
        const { operation, subject, run } = route(request, options.imagesFile);
        return { operation, subject, run };
      },
      renderError: ({ code, message, status }) =>
        json(status, { errors: [{ code: code === 'InternalFailure' ? 'UNKNOWN' : code, message, detail: null }] }),
    },
  };
}

function route(request: AwsRequest, imagesFile: string) {
  const path = decodeURIComponent(request.path.slice('/v2'.length));
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    throw new AwsError('UNSUPPORTED', 'the stand-in only hands images out', 405);
  }
  if (path === '' || path === '/') {
    return { operation: 'CheckVersion', subject: '', run: async () => json(200, {}) };
  }
  const [, name = '', kind = '', reference = ''] = /^\/(.+)\/(manifests|blobs|tags)\/([^/]+)$/.exec(path) ?? [];
  if (kind === '') throw new AwsError('UNSUPPORTED', 'the stand-in knows manifests, blobs and tags/list', 404);
  if (!REPOSITORY.test(name)) throw new AwsError('NAME_INVALID', `invalid repository name: ${name}`, 400);
  const repository = async () => {
    const images = storedImages(await readImages(imagesFile)).filter((image) => image.registry === DOCKER_HUB);
    const found = images.filter((image) => image.repository === name);
    if (found.length === 0) throw unknownName(name);
    return found;
  };
  const subject = `${name}:${reference}`;
  if (kind === 'tags') {
    if (reference !== 'list') throw new AwsError('UNSUPPORTED', 'there is tags/list only', 404);
    return { operation: 'ListTags', subject: name, run: async () => listTags(name, await repository()) };
  }
  const wantsDigest = kind === 'blobs' || reference.includes(':');
  if (wantsDigest && !DIGEST.test(reference)) throw new AwsError('DIGEST_INVALID', `invalid digest: ${reference}`, 400);
  if (!wantsDigest && !TAG.test(reference)) throw new AwsError('TAG_INVALID', `invalid tag: ${reference}`, 400);
  return kind === 'blobs'
    ? { operation: 'GetBlob', subject, run: async () => getBlob(await repository(), reference) }
    : { operation: 'GetManifest', subject, run: async () => getManifest(await repository(), reference, request) };
}

const listTags = (name: string, images: readonly StoredImage[]): AwsResponse =>
  json(200, { name, tags: images.map(({ tag }) => tag).sort() });

function getManifest(images: readonly StoredImage[], reference: string, request: AwsRequest): AwsResponse {
  const image = images.find(({ tag, manifest }) => tag === reference || manifest.digest === reference);
  if (!image) throw new AwsError('MANIFEST_UNKNOWN', `manifest unknown: ${reference}`, 404);
  const accepted = (request.headers.accept ?? '*/*').split(',').map((type) => type.split(';')[0]?.trim());
  if (!accepted.includes(image.manifest.type) && !accepted.includes('*/*')) {
    throw new AwsError('MANIFEST_UNKNOWN', 'OCI manifest found, but accept header does not support OCI manifests', 404);
  }
  return stored(image.manifest);
}

function getBlob(images: readonly StoredImage[], digest: string): AwsResponse {
  const blobs = images.flatMap(({ config, layer }) => [config, layer]);
  const blob = blobs.find((one) => one.digest === digest);
  if (!blob) throw new AwsError('BLOB_UNKNOWN', `blob unknown to registry: ${digest}`, 404);
  return stored({ ...blob, type: 'application/octet-stream' });
}

const VERSION = { 'docker-distribution-api-version': 'registry/2.0' };

const stored = ({ type, digest, body }: Blob): AwsResponse => ({
  status: 200,
  headers: {
    ...VERSION,
    'content-type': type,
    'content-length': String(Buffer.byteLength(body)),
    'docker-content-digest': digest,
    etag: `"${digest}"`,
  },
  body,
});

const json = (status: number, content: unknown): AwsResponse => ({
  status,
  headers: { ...VERSION, 'content-type': 'application/json' },
  body: JSON.stringify(content),
});
