/**
 * An issuer of tokens for tests: keys of its own, and whatever claims a case wants.
 *
 * @module
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { GatewaySettings } from '../../clients/gateway/settings.ts';

export const AUDIENCE = 'longhaul';
export const ISSUER = 'https://issuer.example';

export interface Issuer {
  settings: Pick<GatewaySettings, 'open' | 'anonymous'> & Required<Pick<GatewaySettings, 'tokens'>>;
  jwks: { keys: Record<string, unknown>[] };
  /**
   * @param claims instead of those that are right
   * @param seconds until it expires
   */
  sign(claims?: Record<string, unknown>, seconds?: number): Promise<string>;
  close(): Promise<void>;
}

export async function createIssuer(): Promise<Issuer> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }] };
  const directory = await mkdtemp(join(tmpdir(), 'longhaul-issuer-'));
  const file = join(directory, 'jwks.json');
  await writeFile(file, JSON.stringify(jwks));
  return {
    jwks,
    settings: {
      open: false,
      anonymous: false,
      tokens: { issuer: ISSUER, audience: AUDIENCE, jwks: file, consumersClaim: 'consumers', roleClaim: 'role' },
    },
    async sign(claims = {}, seconds = 3_600) {
      const now = Math.floor(Date.now() / 1000);
      return new SignJWT({
        iss: ISSUER,
        aud: AUDIENCE,
        sub: 'ada',
        role: 'operator',
        consumers: ['lab-a'],
        iat: now,
        exp: now + seconds,
        ...claims,
      })
        .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
        .sign(privateKey);
    },
    close: () => rm(directory, { recursive: true, force: true }),
  };
}
