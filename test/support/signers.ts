/**
 * An issuer of tokens, and a stranger who would like to be one.
 *
 * @module
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, exportSPKI, generateKeyPair, type JWK, type JWTHeaderParameters, SignJWT } from 'jose';

export const ISSUER = 'https://issuer.example.com';
export const AUDIENCE = 'longhaul-test';

export interface Signers {
  /** The issuer's public keys, as the gateway reads them. */
  jwksFile: string;
  kid: string;
  jwk: JWK;
  publicPem: string;
  strangerJwk: JWK;
  /** As the issuer; what is undefined in the claims is left out. */
  sign(claims: Record<string, unknown>, header?: Partial<JWTHeaderParameters>): Promise<string>;
  signBy(
    who: 'issuer' | 'stranger',
    claims: Record<string, unknown>,
    header?: Partial<JWTHeaderParameters>,
  ): Promise<string>;
  close(): Promise<void>;
}

const ALGORITHM = 'RS256';
const KID = 'issuer-1';

export async function createSigners(): Promise<Signers> {
  const [issuer, stranger] = await Promise.all([1, 2].map(() => generateKeyPair(ALGORITHM, { extractable: true })));
  if (!issuer || !stranger) throw new Error('no keys were made');
  const directory = await mkdtemp(join(tmpdir(), 'longhaul-signers-'));
  const jwksFile = join(directory, 'jwks.json');
  const jwk = await exportJWK(issuer.publicKey);
  await writeFile(jwksFile, JSON.stringify({ keys: [{ ...jwk, kid: KID, alg: ALGORITHM, use: 'sig' }] }));
  const signBy: Signers['signBy'] = (who, claims, header) => {
    const said = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
    const key = who === 'issuer' ? issuer : stranger;
    return new SignJWT(said).setProtectedHeader({ alg: ALGORITHM, kid: KID, ...header }).sign(key.privateKey);
  };
  return {
    jwksFile,
    kid: KID,
    jwk,
    publicPem: await exportSPKI(issuer.publicKey),
    strangerJwk: await exportJWK(stranger.publicKey),
    sign: (claims, header) => signBy('issuer', claims, header),
    signBy,
    close: () => rm(directory, { recursive: true, force: true }),
  };
}
