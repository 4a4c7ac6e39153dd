/**
 * The stand-in for Amazon ECR over the awsJson 1.1 protocol: BatchGetImage for the entries of images.json whose
 * references are those of a private registry of the account and Region.
 *
 * @module
 */

import { jsonService } from '../../kit/json-protocol.ts';
import { AwsError, type AwsService } from '../../kit/service.ts';
import { readImages } from '../image-file.ts';
import type { Place } from '../ports.ts';
import { type StoredImage, storedImages } from '../registry/images.ts';

type Json = Record<string, unknown>;
const MOST_IMAGES = 100;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

const invalid = (message: string) => new AwsError('InvalidParameterException', message);

export function createEcr(options: { place: Place; imagesFile: string }): { service: AwsService } {
  return {
    service: jsonService({
      names: ['ecr'],
      version: '1.1',
      operations: {
        BatchGetImage: {
          subject: (input) => String(input.repositoryName ?? ''),
          run: (input, request) => batchGetImage(options, input, request.region),
        },
      },
    }),
  };
}

async function batchGetImage(
  { place, imagesFile }: { place: Place; imagesFile: string },
  input: Json,
  region: string,
): Promise<Json> {
  const { repositoryName, imageIds, registryId = place.accountId } = input;
  if (typeof repositoryName !== 'string' || repositoryName === '') throw invalid('repositoryName must not be empty');
  if (!Array.isArray(imageIds) || imageIds.length === 0 || imageIds.length > MOST_IMAGES) {
    throw invalid(`imageIds must have 1 to ${MOST_IMAGES} members`);
  }
  const registry = `${String(registryId)}.dkr.ecr.${region}.amazonaws.com`;
  const images = storedImages(await readImages(imagesFile)).filter((image) => image.registry === registry);
  const repository = images.filter((image) => image.repository === repositoryName);
  if (repository.length === 0) {
    throw new AwsError(
      'RepositoryNotFoundException',
      `The repository with name '${repositoryName}' does not exist in the registry with id '${String(registryId)}'`,
    );
  }
  const answers = (imageIds as { imageTag?: string; imageDigest?: string }[]).map((imageId) => {
    const image = find(repository, imageId);
    if (typeof image === 'string') return { failure: { imageId, failureCode: image, failureReason: REASONS[image] } };
    const { manifest, tag } = image;
    return {
      image: {
        registryId,
        repositoryName,
        imageId: { imageDigest: manifest.digest, imageTag: imageId.imageTag ?? tag },
        imageManifest: manifest.body,
        imageManifestMediaType: manifest.type,
      },
    };
  });
  return {
    images: answers.flatMap(({ image }) => image ?? []),
    failures: answers.flatMap(({ failure }) => failure ?? []),
  };
}

const REASONS = {
  ImageNotFound: 'Requested image not found',
  InvalidImageDigest: 'Invalid request parameters: image digest',
  ImageTagDoesNotMatchDigest: 'Image tag does not match image digest',
  MissingDigestAndTag: 'Invalid request parameters: both tag and digest cannot be null',
} as const;

function find(
  images: readonly StoredImage[],
  { imageTag, imageDigest }: { imageTag?: string; imageDigest?: string },
): StoredImage | keyof typeof REASONS {
  if (imageTag === undefined && imageDigest === undefined) return 'MissingDigestAndTag';
  if (imageDigest !== undefined && !DIGEST.test(imageDigest)) return 'InvalidImageDigest';
  const byDigest = images.filter(({ manifest }) => imageDigest === undefined || manifest.digest === imageDigest);
  const found = byDigest.find(({ tag }) => imageTag === undefined || tag === imageTag);
  if (found) return found;
  return byDigest.length > 0 && imageDigest !== undefined ? 'ImageTagDoesNotMatchDigest' : 'ImageNotFound';
}
