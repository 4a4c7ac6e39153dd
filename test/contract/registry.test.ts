/** The registry mirror and ECR. What they hand out is images.json, so they are not tested against an account. */
import { createHash } from 'node:crypto';
import { BatchGetImageCommand, ECRClient } from '@aws-sdk/client-ecr';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pullImage } from '../../infra/local/aws/batch/images.ts';
import { createEcrReader } from '../../lib/images/ecr.ts';
import { createImageResolver } from '../../lib/images/resolve.ts';
import { openTarget, type Target } from './target.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const ECR = '123456789012.dkr.ecr.us-east-1.amazonaws.com/lab/tools';
const IMAGES = {
  'lab/tools:1': { path: ['/opt/tools/bin'], environment: { DATA: '/opt/data' } },
  'lab/tools:1.0': { path: ['/opt/tools/bin'], environment: { DATA: '/opt/data' } },
  'lab/tools:2': { path: ['/opt/tools/bin'], command: ['tools'] },
  ubuntu: {},
  'quay.io/lab/other:1': {},
  [`${ECR}:1`]: { entrypoint: ['tools'] },
};

let target: Target;
let url: string;

const get = (path: string, init: RequestInit = {}) => fetch(`${url}/v2/${path}`, init);
const digestOf = async (path: string) => (await get(path, { method: 'HEAD' })).headers.get('docker-content-digest');
const refusal = async (path: string, init: RequestInit = {}) => {
  const answer = await get(path, init);
  const { errors } = (await answer.json()) as { errors: { code: string; message: string }[] };
  return [answer.status, ...errors.map(({ code }) => code)];
};

describe.skipIf(process.env.LONGHAUL_VERIFY_AWS === '1')('the stand-in', () => {
  beforeAll(async () => {
    target = await openTarget({ images: IMAGES });
    url = target.local?.url ?? '';
  });
  afterAll(() => target.close());

  describe('registry', () => {
    it('speaks the distribution API', async () => {
      const answer = await get('');

      expect(answer.status).toBe(200);
      expect(answer.headers.get('docker-distribution-api-version')).toBe('registry/2.0');
    });

    it('hands out a manifest by tag and by digest, whose digest is that of its bytes', async () => {
      const answer = await get('lab/tools/manifests/1', { headers: { accept: MANIFEST } });
      const body = await answer.text();
      const digest = answer.headers.get('docker-content-digest');
      const again = await get(`lab/tools/manifests/${digest}`);

      expect(answer.headers.get('content-type')).toBe(MANIFEST);
      expect(digest).toBe(`sha256:${createHash('sha256').update(body).digest('hex')}`);
      expect(await again.text()).toBe(body);
    });

    it('answers HEAD with the same headers and no body', async () => {
      const head = await get('lab/tools/manifests/1', { method: 'HEAD' });
      const body = await (await get('lab/tools/manifests/1')).text();

      expect(await head.text()).toBe('');
      expect(head.headers.get('content-length')).toBe(String(Buffer.byteLength(body)));
    });

    it('has every blob its manifests name', async () => {
      const manifest = (await (await get('lab/tools/manifests/2')).json()) as {
        config: { digest: string; size: number };
        layers: { digest: string; size: number }[];
      };

      for (const { digest, size } of [manifest.config, ...manifest.layers]) {
        const bytes = Buffer.from(await (await get(`lab/tools/blobs/${digest}`)).arrayBuffer());
        expect(bytes).toHaveLength(size);
        expect(`sha256:${createHash('sha256').update(bytes).digest('hex')}`).toBe(digest);
      }
    });

    it('gives the same definition the same digest, and another one another', async () => {
      expect(await digestOf('lab/tools/manifests/1')).toBe(await digestOf('lab/tools/manifests/1.0'));
      expect(await digestOf('lab/tools/manifests/1')).not.toBe(await digestOf('lab/tools/manifests/2'));
    });

    it('lists tags', async () => {
      expect(await (await get('lab/tools/tags/list')).json()).toEqual({ name: 'lab/tools', tags: ['1', '1.0', '2'] });
    });

    it("knows Docker Hub's own images under library/, and no other registry's", async () => {
      expect((await get('library/ubuntu/manifests/latest')).status).toBe(200);
      expect(await refusal('lab/other/manifests/1')).toEqual([404, 'NAME_UNKNOWN']);
    });

    it.each([
      ['a repository nobody has', 'nobody/manifests/1', 404, 'NAME_UNKNOWN'],
      ['a tag nobody has', 'lab/tools/manifests/3', 404, 'MANIFEST_UNKNOWN'],
      ['a digest nobody has', `lab/tools/manifests/sha256:${'0'.repeat(64)}`, 404, 'MANIFEST_UNKNOWN'],
      ['a digest that is none', 'lab/tools/manifests/sha256:abc', 400, 'DIGEST_INVALID'],
      ['a digest of another kind', `lab/tools/manifests/md5:${'0'.repeat(32)}`, 400, 'DIGEST_INVALID'],
      ['a tag that is none', 'lab/tools/manifests/-1', 400, 'TAG_INVALID'],
      ['a name that is none', 'Lab/tools/manifests/1', 400, 'NAME_INVALID'],
      ['a blob nobody has', `lab/tools/blobs/sha256:${'0'.repeat(64)}`, 404, 'BLOB_UNKNOWN'],
      ['a blob by tag', 'lab/tools/blobs/1', 400, 'DIGEST_INVALID'],
      ['another part of the API', 'lab/tools/referrers/x', 404, 'UNSUPPORTED'],
    ])('refuses %s', async (_, path, status, code) => expect(await refusal(path)).toEqual([status, code]));

    it('refuses a caller that cannot read its manifests, and every write', async () => {
      const old = { headers: { accept: 'application/vnd.docker.distribution.manifest.v1+json' } };

      expect(await refusal('lab/tools/manifests/1', old)).toEqual([404, 'MANIFEST_UNKNOWN']);
      expect(await refusal('lab/tools/manifests/1', { method: 'PUT', body: '{}' })).toEqual([405, 'UNSUPPORTED']);
      expect(await refusal('lab/tools/blobs/uploads', { method: 'POST' })).toEqual([405, 'UNSUPPORTED']);
    });

    it('is the only one that takes requests without a signature', async () => {
      expect((await fetch(`${url}/v22/`)).status).toBe(403);
      expect((await fetch(`${url}/longhaul/v2/`)).status).toBe(403);
    });

    it('is covered by the call log and the fault plan', async () => {
      const after = target.local?.kit.calls.lastSeq ?? 0;
      target.local?.kit.faults.set([{ service: 'registry', operation: 'GetManifest', effect: 'throttle' }]);

      expect(await refusal('lab/tools/manifests/1')).toEqual([429, 'TOOMANYREQUESTS']);
      expect(target.local?.kit.calls.list({ service: 'registry', afterSeq: after })).toMatchObject([
        { operation: 'GetManifest', subject: 'lab/tools:1', status: 429, principal: 'anonymous' },
      ]);
    });
  });

  describe('ECR', () => {
    const ask = async (repositoryName: string, imageIds: object[]) => {
      const ecr = new ECRClient(target.client);
      try {
        return await ecr.send(new BatchGetImageCommand({ repositoryName, imageIds }));
      } finally {
        ecr.destroy();
      }
    };

    it('hands out manifests by tag and digest, and says which there are not', async () => {
      const { images = [] } = await ask('lab/tools', [{ imageTag: '1' }]);
      const imageDigest = images[0]?.imageId?.imageDigest;
      const { images: again = [], failures = [] } = await ask('lab/tools', [
        { imageDigest },
        { imageTag: '2' },
        { imageDigest: `sha256:${'0'.repeat(64)}` },
        { imageDigest, imageTag: '2' },
        { imageDigest: 'sha256:0' },
        {},
      ]);

      expect(images[0]).toMatchObject({ registryId: '123456789012', repositoryName: 'lab/tools' });
      expect(imageDigest).toBe(
        `sha256:${createHash('sha256')
          .update(images[0]?.imageManifest ?? '')
          .digest('hex')}`,
      );
      expect(again).toEqual(images);
      expect(failures.map(({ failureCode }) => failureCode)).toEqual([
        'ImageNotFound',
        'ImageNotFound',
        'ImageTagDoesNotMatchDigest',
        'InvalidImageDigest',
        'MissingDigestAndTag',
      ]);
    });

    it('refuses a repository nobody has', async () => {
      await expect(ask('nobody', [{ imageTag: '1' }])).rejects.toMatchObject({ name: 'RepositoryNotFoundException' });
      await expect(ask('lab/tools', [])).rejects.toMatchObject({ name: 'InvalidParameterException' });
    });
  });

  describe('Batch', () => {
    it.each(['lab/tools:2', `${ECR}:1`])('pulls %s by its digest too', async (reference) => {
      const file = target.local?.imagesFile ?? '';
      const ecr = createEcrReader(target.client);
      const resolved = await createImageResolver({ mirror: url, ecr }).resolve(reference);
      ecr.destroy();
      if (resolved.state !== 'found') throw new Error(resolved.reason);
      const name = reference.slice(0, reference.lastIndexOf(':'));

      expect(await pullImage(file, `${name}@${resolved.digest}`)).toEqual(await pullImage(file, reference));
      expect(await pullImage(file, `${reference}@${resolved.digest}`)).toEqual(await pullImage(file, reference));
      await expect(pullImage(file, `lab/nothing@${resolved.digest}`)).rejects.toThrow(/CannotPullContainerError/);
      await expect(pullImage(file, `${name}@sha256:${'0'.repeat(64)}`)).rejects.toThrow(/not found$/);
    });
  });
});
