/**
 * Images of Amazon ECR's private registries, by BatchGetImage: it is the call by which hosts pull, so it needs no
 * permission of its own kind, it works for other accounts' repositories, and it makes a pull-through cache fetch.
 *
 * @module
 */
import type { ECRClient, ECRClientConfig, ImageFailure } from '@aws-sdk/client-ecr';
import { accessDenied } from '../aws-errors.ts';
import type { ImageReference } from './reference.ts';
import type { ImageVerdict } from './verdict.ts';

export interface EcrReader {
  /** @throws the SDK's error when asking again may help */
  find(account: string, region: string, reference: ImageReference): Promise<ImageVerdict>;
  destroy(): void;
}

/** One client for each Region that references name, made at first use: most launches use no ECR. */
export function createEcrReader(config: ECRClientConfig = {}): EcrReader {
  const clients = new Map<string, ECRClient>();
  return {
    async find(account, region, { repository, tag, digest }) {
      const { BatchGetImageCommand, ECRClient, InvalidParameterException, RepositoryNotFoundException } = await import(
        '@aws-sdk/client-ecr'
      );
      const client = clients.get(region) ?? new ECRClient({ ...config, region });
      clients.set(region, client);
      const imageId = digest === undefined ? { imageTag: tag ?? 'latest' } : { imageDigest: digest };
      try {
        const { images = [], failures = [] } = await client.send(
          new BatchGetImageCommand({ registryId: account, repositoryName: repository, imageIds: [imageId] }),
        );
        const found = images[0]?.imageId?.imageDigest;
        if (found !== undefined) return { state: 'found', digest: found };
        return { state: 'missing', reason: whyNot(failures[0], repository, account, digest ?? tag ?? 'latest') };
      } catch (error) {
        if (error instanceof RepositoryNotFoundException) {
          return { state: 'missing', reason: `ECR of account ${account} in ${region} has no repository ${repository}` };
        }
        if (error instanceof InvalidParameterException) {
          return { state: 'missing', reason: `ECR refuses the name ${repository}: ${error.message}` };
        }
        if ((error as { code?: string }).code === 'ENOTFOUND') {
          return { state: 'missing', reason: `there is no ECR in a Region ${region}` };
        }
        if (accessDenied(error)) {
          return { state: 'unknown', reason: `the caller may not look into ECR (allow ecr:BatchGetImage)` };
        }
        throw error;
      }
    },
    destroy: () => clients.forEach((client) => client.destroy()),
  };
}

function whyNot(failure: ImageFailure | undefined, repository: string, account: string, wanted: string): string {
  const known = failure?.failureCode === 'ImageNotFound' || failure === undefined;
  return known
    ? `the ECR repository ${repository} of account ${account} has no ${wanted}`
    : `ECR does not give ${repository}:${wanted}: ${failure.failureReason ?? failure.failureCode}`;
}
