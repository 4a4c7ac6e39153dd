/**
 * The images of this machine as a registry has them: each entry of images.json becomes an OCI image manifest with a
 * configuration. Both follow from the entry alone, so the same definition always has the same digest.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { parseReference } from '../../../../lib/images/reference.ts';
import type { Image } from '../image-file.ts';

export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG_TYPE = 'application/vnd.oci.image.config.v1+json';
const EMPTY_TYPE = 'application/vnd.oci.empty.v1+json';

export interface Blob {
  digest: string;
  type: string;
  body: string;
}

/** One image of a repository under one of its tags. */
export interface StoredImage {
  image: Image;
  registry: string;
  repository: string;
  tag: string;
  manifest: Blob;
  config: Blob;
  /** Stands for the layers: on this machine an image has none. */
  layer: Blob;
}

/** @param images the content of images.json; entries that are no tagged references are left out */
export function storedImages(images: Readonly<Record<string, Image>>): StoredImage[] {
  return Object.entries(images).flatMap(([reference, image]) => {
    const parsed = parseReference(reference);
    if (!parsed || parsed.digest !== undefined) return [];
    const { registry, repository, tag = 'latest' } = parsed;
    return [{ image, registry, repository, tag, ...describeImage(image) }];
  });
}

function describeImage(image: Image): Pick<StoredImage, 'manifest' | 'config' | 'layer'> {
  const layer = blob(EMPTY_TYPE, {});
  const config = blob(CONFIG_TYPE, {
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: {
      Env: [
        ...(image.path?.length ? [`PATH=${image.path.join(':')}`] : []),
        ...Object.entries(image.environment ?? {}).map(([name, value]) => `${name}=${value}`),
      ].sort(),
      ...(image.entrypoint && { Entrypoint: image.entrypoint }),
      ...(image.command && { Cmd: image.command }),
      ...(image.module && { Labels: { 'longhaul.module': image.module } }),
    },
    rootfs: { type: 'layers', diff_ids: [] },
  });
  const manifest = blob(MANIFEST_TYPE, {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: descriptor(config),
    layers: [descriptor(layer)],
  });
  return { manifest, config, layer };
}

function blob(type: string, content: unknown): Blob {
  const body = JSON.stringify(content);
  return { type, body, digest: `sha256:${createHash('sha256').update(body).digest('hex')}` };
}

const descriptor = ({ type, digest, body }: Blob) => ({ mediaType: type, digest, size: Buffer.byteLength(body) });
