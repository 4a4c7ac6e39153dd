/**
 * The reading half of the OCI distribution API (github.com/opencontainers/distribution-spec, 1.1) as far as a digest
 * needs it: HEAD of a manifest, with an anonymous bearer token where the registry wants one. No credentials are sent.
 *
 * References come from sheets, so a registry's name is not trusted: only https is spoken, but to a mirror on loopback
 * that the settings name; nothing a registry says but a digest is passed on.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { isDigest } from './reference.ts';
import type { ImageVerdict } from './verdict.ts';

/** Every form a manifest comes in; lists of platforms first, since their digest is the one a host pulls by. */
const MANIFEST_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');
const TIMEOUT_MS = 10_000;
const MOST_REDIRECTS = 5;
/** Registries refuse manifests above 4 MiB (distribution-spec, "Pushing Manifests"). */
const MANIFEST_LIMIT = 4 * 1024 * 1024;
/** Codes of Node and OpenSSL for a host that speaks no https, or whose certificate is not to be trusted. */
const UNTRUSTED = /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/;
/** Tokens are a few KiB. */
const TOKEN_LIMIT = 64 * 1024;

/** The registry does not answer, or not now: worth asking again. */
export class RegistryUnavailableError extends Error {
  override readonly name = 'RegistryUnavailableError';
}

/** What asking again does not change, and what it says of the image. */
class UnanswerableError extends Error {
  override readonly name = 'UnanswerableError';
  readonly state: 'missing' | 'unknown';

  constructor(state: 'missing' | 'unknown', reason: string, cause: unknown) {
    super(reason, { cause });
    this.state = state;
  }
}

/**
 * @param address `https://host[:port]`; http only on loopback
 * @param reference a tag or a digest
 * @throws RegistryUnavailableError
 */
export async function askRegistry(address: string, repository: string, reference: string): Promise<ImageVerdict> {
  try {
    return await ask(address, repository, reference);
  } catch (error) {
    if (error instanceof UnanswerableError) return { state: error.state, reason: error.message };
    throw error;
  }
}

async function ask(address: string, repository: string, reference: string): Promise<ImageVerdict> {
  const url = new URL(`/v2/${repository}/manifests/${reference}`, address);
  const { host } = url;
  const accept = { accept: MANIFEST_TYPES };
  let answer = await request('HEAD', url, accept);
  let authorization: Record<string, string> = {};
  if (answer.status === 401) {
    const challenge = parseChallenge(answer.headers.get('www-authenticate') ?? '');
    if (!challenge) return { state: 'unknown', reason: `${host} wants credentials of a kind Longhaul does not have` };
    const token = await fetchToken(challenge, url, repository);
    if (token === undefined) return { state: 'unknown', reason: `${host} gives no anonymous token for ${repository}` };
    authorization = { authorization: `Bearer ${token}` };
    answer = await request('HEAD', url, { ...accept, ...authorization });
  }
  if (answer.status === 401 || answer.status === 403) {
    return {
      state: 'unknown',
      reason: `${host} shows ${repository} to nobody without credentials: it is private, or there is none of that name`,
    };
  }
  if (answer.status === 404) return { state: 'missing', reason: `${host} has no ${reference} of ${repository}` };
  if (answer.status === 400) return { state: 'missing', reason: `${host} refuses the name ${repository}:${reference}` };
  if (answer.status !== 200) throw new RegistryUnavailableError(`${host} answers with status ${answer.status}`);
  const digest = answer.headers.get('docker-content-digest') ?? '';
  // The header is optional; the digest is that of the manifest's bytes.
  return {
    state: 'found',
    digest: isDigest(digest) ? digest : await hashManifest(url, { ...accept, ...authorization }),
  };
}

/** A host as `URL` gives it, with or without port, that means this machine. */
export const isLoopback = (host: string): boolean =>
  /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i.test(host) || /\.localhost(:\d+)?$/i.test(host);

/** Where tokens come from, as the registry says it (RFC 6750, and Docker's token specification). */
interface Challenge {
  realm: string;
  service?: string;
  scope?: string;
}

/** @returns undefined for another scheme than Bearer, or one without a realm */
export function parseChallenge(header: string): Challenge | undefined {
  const [, parameters] = /^Bearer\s+(.*)$/is.exec(header.trim()) ?? [];
  if (parameters === undefined) return undefined;
  const found = new Map<string, string>();
  for (const [, name = '', quoted, plain] of parameters.matchAll(
    /([a-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^",\s]+))/gi,
  )) {
    found.set(name.toLowerCase(), quoted === undefined ? (plain ?? '') : quoted.replaceAll(/\\(.)/g, '$1'));
  }
  const realm = found.get('realm');
  const service = found.get('service');
  const scope = found.get('scope');
  return realm ? { realm, ...(service && { service }), ...(scope && { scope }) } : undefined;
}

/** @returns undefined when the registry gives none to callers it does not know */
async function fetchToken(challenge: Challenge, registry: URL, repository: string): Promise<string | undefined> {
  if (!URL.canParse(challenge.realm)) return undefined;
  const url = new URL(challenge.realm);
  if (!mayFollow(registry, url)) return undefined;
  if (challenge.service) url.searchParams.set('service', challenge.service);
  url.searchParams.set('scope', challenge.scope ?? `repository:${repository}:pull`);
  const answer = await request('GET', url, {});
  if (answer.status >= 400 && answer.status < 500 && answer.status !== 429) return undefined;
  if (answer.status !== 200) throw new RegistryUnavailableError(`${url.host} answers with status ${answer.status}`);
  try {
    const body = JSON.parse((await readBody(answer, TOKEN_LIMIT)).toString('utf8')) as Record<string, unknown>;
    const token = body.token ?? body.access_token;
    return typeof token === 'string' && /^[\x21-\x7e]+$/.test(token) ? token : undefined;
  } catch (cause) {
    throw new RegistryUnavailableError(`${url.host} gives a token that cannot be read`, { cause });
  }
}

async function hashManifest(url: URL, headers: Record<string, string>): Promise<string> {
  const answer = await request('GET', url, headers);
  if (answer.status !== 200) throw new RegistryUnavailableError(`${url.host} answers with status ${answer.status}`);
  return `sha256:${createHash('sha256')
    .update(await readBody(answer, MANIFEST_LIMIT))
    .digest('hex')}`;
}

/** Never from https to http, and to this machine only from it. */
const mayFollow = (from: URL, to: URL): boolean =>
  to.protocol === 'https:'
    ? isLoopback(from.host) || !isLoopback(to.host)
    : isLoopback(from.host) && isLoopback(to.host);

/** Follows redirects itself: a token goes to the host it was meant for only. */
async function request(method: 'GET' | 'HEAD', start: URL, headers: Record<string, string>): Promise<Response> {
  let url = start;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
    const answer = await send(method, url, url.host === start.host ? headers : forStrangers(headers));
    const location = answer.headers.get('location');
    if (![301, 302, 303, 307, 308].includes(answer.status) || location === null) return answer;
    await answer.body?.cancel();
    const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
    if (!next || !mayFollow(url, next)) break;
    url = next;
  }
  throw new RegistryUnavailableError(`${start.host} redirects to where Longhaul does not follow`);
}

async function send(method: string, url: URL, headers: Record<string, string>): Promise<Response> {
  try {
    return await fetch(url, { method, headers, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (cause) {
    const { code = '', message = '' } = ((cause as Error).cause ?? cause) as { code?: string; message?: string };
    if (code === 'ENOTFOUND') throw new UnanswerableError('missing', `there is no host ${url.hostname}`, cause);
    // fetch has a list of ports it never speaks to.
    if (message === 'bad port') {
      throw new UnanswerableError('unknown', `port ${url.port} of ${url.hostname} cannot be asked`, cause);
    }
    if (UNTRUSTED.test(code)) {
      throw new UnanswerableError('unknown', `${url.host} has no certificate that is trusted here (${code})`, cause);
    }
    throw new RegistryUnavailableError(`${url.host} cannot be reached (${code || message})`, { cause });
  }
}

const forStrangers = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'authorization'));

async function readBody(answer: Response, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    size += chunk.length;
    if (size > limit) throw new RegistryUnavailableError(`the answer is larger than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
