/**
 * From an image reference to the digest of its manifest, by the registry that has it: Amazon ECR through its own API,
 * every other through the OCI distribution API.
 *
 * @module
 */
import type { EcrReader } from './ecr.ts';
import { DOCKER_HUB, type ImageReference, parseReference } from './reference.ts';
import { askRegistry, isLoopback } from './registry.ts';
import type { ImageVerdict } from './verdict.ts';

export interface ImageResolver {
  /** @throws RegistryUnavailableError, or an SDK's error, when asking again may help */
  resolve(reference: string): Promise<ImageVerdict>;
}

/** `<account>.dkr.ecr.<region>.amazonaws.com`, also of China and with FIPS endpoints. */
const ECR = /^(\d{12})\.dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/;
/** Docker Hub's name in references is not the host that answers for it. */
const DOCKER_HUB_ADDRESS = 'https://registry-1.docker.io';

/** @param options.mirror address of a registry asked instead of Docker Hub; empty: Docker Hub itself */
export function createImageResolver(options: { mirror: string; ecr: EcrReader }): ImageResolver {
  return {
    async resolve(text) {
      const reference = parseReference(text);
      if (!reference) return { state: 'missing', reason: 'is not an image reference that Docker can read' };
      const [, account, region] = ECR.exec(reference.registry) ?? [];
      const verdict =
        account !== undefined && region !== undefined
          ? await options.ecr.find(account, region, withTag(reference))
          : await ask(reference);
      // A registry that gives another digest than the one asked for is not to be believed.
      if (verdict.state === 'found' && reference.digest !== undefined && verdict.digest !== reference.digest) {
        return { state: 'missing', reason: `the registry answers with another digest, ${verdict.digest}` };
      }
      return verdict;
    },
  };

  async function ask(reference: ImageReference): Promise<ImageVerdict> {
    const { registry, repository } = reference;
    const { digest, tag } = withTag(reference);
    if (registry === DOCKER_HUB) return askRegistry(options.mirror || DOCKER_HUB_ADDRESS, repository, digest ?? tag);
    const address = `https://${registry}`;
    if (!URL.canParse(address)) return { state: 'missing', reason: `${registry} is no address of a registry` };
    // Not the name as it is written: 0x7f.1 means this machine as well.
    if (isLoopback(new URL(address).host)) {
      return {
        state: 'unknown',
        reason: `${registry} is a registry on the job's own host, which cannot be asked from here`,
      };
    }
    return askRegistry(address, repository, digest ?? tag);
  }
}

const withTag = (reference: ImageReference) => ({ ...reference, tag: reference.tag ?? 'latest' });
