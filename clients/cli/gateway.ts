/**
 * How commands find the gateway, and who they are to it.
 *
 * @module
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findPlatform } from '../../infra/local/platform/index.ts';
import { cacheDirectory } from '../../infra/local/tools/cache.ts';
import type { IdentityStorage } from '../live/client-types.ts';
import { CliError, EXIT } from './context.ts';

const ANSWER_WITHIN_MS = 5_000;

/**
 * The address that was given, set, or written down by the embedded platform.
 * @throws CliError when there is none, it is no address, or nobody answers there
 */
export async function findGateway(given: string | undefined): Promise<string> {
  const platform = process.env.LONGHAUL_PLATFORM ?? 'default';
  const environment: Record<string, string> = (await findPlatform(platform))?.environment ?? {};
  const url = given ?? process.env.LONGHAUL_GATEWAY_URL ?? environment.LONGHAUL_GATEWAY_URL;
  if (!url)
    throw new CliError(
      'no gateway is known: start the embedded platform with "longhaul up", give --gateway <url>, or set LONGHAUL_GATEWAY_URL',
    );
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new CliError(`${url} is no address of a gateway: expected http(s)://host[:port]`, EXIT.usage);
  try {
    const answer = await fetch(new URL('/api/v1/health', url), { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    if (answer.ok) return url;
    throw new Error(`it answers ${answer.status}`);
  } catch (error) {
    const { cause, message } = error as Error & { cause?: { code?: string } };
    throw new CliError(
      `the gateway at ${url} cannot be used (${cause?.code ?? message}): is it running, and is the address right? "longhaul up" starts one`,
    );
  }
}

/** Of a gateway that asks for one; never an argument, which other users of the machine could see. */
export const gatewayToken = (): { token?: string } => {
  const { LONGHAUL_TOKEN: token } = process.env;
  return token ? { token } : {};
};

/** Who this user is to a gateway without tokens: kept, so that a cursor is found again. */
export function identityFile(path: string = join(cacheDirectory(), 'identity.json')): IdentityStorage {
  const read = (): Record<string, string> => {
    try {
      return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>) : {};
    } catch {
      // Half written by a process that died: another identity is made.
      return {};
    }
  };
  return {
    getItem: (key) => read()[key] ?? null,
    setItem(key, value) {
      mkdirSync(join(path, '..'), { recursive: true });
      writeFileSync(path, JSON.stringify({ ...read(), [key]: value }), { mode: 0o600 });
    },
  };
}
