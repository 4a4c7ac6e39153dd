/**
 * Container image references, read as Docker reads them (github.com/distribution/reference):
 * `[registry[:port]/]name[:tag][@sha256:…]`. Without a registry it is Docker Hub, where a name of one part lies under
 * `library/`.
 *
 * @module
 */

export const DOCKER_HUB = 'docker.io';

export interface ImageReference {
  /** `docker.io`, `quay.io`, `registry.internal:5000`, … */
  registry: string;
  /** Path inside the registry: `library/ubuntu`. */
  repository: string;
  /** Missing where the reference names none and no digest either: `latest` then. */
  tag?: string;
  /** `sha256:<64 hex digits>` */
  digest?: string;
}

const DOMAIN =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?$/;
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
/** Docker's bound of registry and repository together. */
const MOST_NAME_CHARACTERS = 255;

/** What Apptainer runs beside images of registries: a file, or an address of its own such as `oras://…`. */
export const isFileOrAddress = (text: string): boolean => /^\/|^[a-z-]+:\/\//.test(text);

export const isDigest = (text: string): boolean => DIGEST.test(text);

/** @returns undefined for what Docker would refuse too */
export function parseReference(text: string): ImageReference | undefined {
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !isDigest(digest)) return undefined;
  const named = at < 0 ? text : text.slice(0, at);
  // A colon behind the last slash is a tag's; one before it is a port's.
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  const tag = colon < 0 ? undefined : named.slice(colon + 1);
  if (tag !== undefined && !TAG.test(tag)) return undefined;
  const { registry, repository } = splitName(colon < 0 ? named : named.slice(0, colon));
  if (!DOMAIN.test(registry) || !repository.split('/').every((part) => COMPONENT.test(part))) return undefined;
  if (`${registry}/${repository}`.length > MOST_NAME_CHARACTERS) return undefined;
  return { registry, repository, ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) };
}

/** Written out in full; parsing it again gives the same. */
export function formatReference({ registry, repository, tag, digest }: ImageReference): string {
  return `${registry}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

/** The same image by digest, its name as the user spells it: `lab/bwa:0.7` becomes `lab/bwa@sha256:…`. */
export function pinReference(text: string, digest: string): string {
  const [named = ''] = text.split('@');
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  return `${colon < 0 ? named : named.slice(0, colon)}@${digest}`;
}

/** The first part is a registry when it looks like a host: with a dot, a port, a capital letter, or `localhost`. */
function splitName(name: string): { registry: string; repository: string } {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const isHost = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  const registry = isHost ? first : DOCKER_HUB;
  const repository = isHost ? name.slice(slash + 1) : name;
  if (registry !== DOCKER_HUB && registry !== `index.${DOCKER_HUB}`) return { registry, repository };
  return { registry: DOCKER_HUB, repository: repository.includes('/') ? repository : `library/${repository}` };
}
