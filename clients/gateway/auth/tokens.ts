/**
 * Signed tokens: who issued one, for whom, until when, and what its bearer may see.
 *
 * @module
 */
import { readFile } from 'node:fs/promises';
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
import { ROLES, type Role } from '../../live/protocol.ts';
import type { Principal } from '../principal.ts';
import type { TokenSettings } from '../settings.ts';

/** A key that only verifies: with a shared one, whoever may verify could also sign. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
/** Of clocks. */
const TOLERANCE_SECONDS = 5;
const TOKEN_CHARACTERS = 8_192;
const NAME_CHARACTERS = 256;
const CONSUMERS = 1_000;

/** Why somebody is not let in; the message never has the token, or what is in it. */
export class AuthError extends Error {
  override readonly name = 'AuthError';
  readonly code: 'unauthorized' | 'unavailable';
  readonly remedy: string;

  constructor(message: string, remedy: string, code: AuthError['code'] = 'unauthorized') {
    super(message);
    this.code = code;
    this.remedy = remedy;
  }
}

export interface Tokens {
  /** @throws AuthError */
  verify(token: string): Promise<Principal & { expiresAt: number }>;
}

/** @throws Error naming the file, when the keys are in one that cannot be read */
export async function createTokens(settings: TokenSettings): Promise<Tokens> {
  const keys = await openKeys(settings.jwks);
  return {
    async verify(token) {
      if (token.length > TOKEN_CHARACTERS) throw new AuthError('the token is too long', 'ask for a shorter one');
      try {
        const { payload } = await jwtVerify(token, keys, {
          issuer: settings.issuer,
          audience: settings.audience,
          algorithms: ALGORITHMS,
          clockTolerance: TOLERANCE_SECONDS,
          requiredClaims: ['sub', 'exp'],
        });
        return principalOf(payload, settings);
      } catch (error) {
        throw refusal(error);
      }
    },
  };
}

async function openKeys(place: string): Promise<JWTVerifyGetKey> {
  if (/^https?:/.test(place)) return createRemoteJWKSet(new URL(place), { timeoutDuration: 5_000 });
  try {
    return createLocalJWKSet(JSON.parse(await readFile(place, 'utf8')) as JSONWebKeySet);
  } catch (error) {
    throw new Error(`gatewayJwks: ${place} is not a JSON Web Key Set that can be read`, { cause: error });
  }
}

function principalOf(payload: JWTPayload, settings: TokenSettings): Principal & { expiresAt: number } {
  const { sub = '', exp = 0 } = payload;
  if (sub === '' || sub.length > NAME_CHARACTERS)
    throw new AuthError('the token names no subject that can be used', 'ask its issuer for one with a short sub');
  return {
    userId: sub,
    role: roleOf(payload[settings.roleClaim], settings.roleClaim),
    consumers: consumersOf(payload[settings.consumersClaim], settings.consumersClaim),
    expiresAt: exp * 1000,
  };
}

/** Of several the one that may do most. */
function roleOf(claim: unknown, name: string): Role {
  const named: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
  const role = ROLES.findLast((known) => named.includes(known));
  if (!role)
    throw new AuthError(`the token names no role in its claim ${name}`, `it has to be one of ${ROLES.join(', ')}`);
  return role;
}

function consumersOf(claim: unknown, name: string): readonly string[] | '*' {
  if (claim === '*') return '*';
  const named: readonly unknown[] = Array.isArray(claim) ? claim : [];
  const consumers = named.filter((one): one is string => typeof one === 'string' && one.length <= NAME_CHARACTERS);
  // `*` within a list would be the name of a consumer to some and everything to others.
  if (consumers.length !== named.length || !Array.isArray(claim) || named.length > CONSUMERS || named.includes('*'))
    throw new AuthError(`the token names no consumers in its claim ${name}`, 'it has to be a list of names, or "*"');
  return consumers;
}

function refusal(error: unknown): AuthError {
  if (error instanceof AuthError) return error;
  if (error instanceof errors.JWTExpired) return new AuthError('the token has expired', 'sign in again');
  if (error instanceof errors.JWTClaimValidationFailed) {
    const why = error.reason === 'missing' ? 'is missing' : 'is not the one expected here';
    return new AuthError(`the claim ${error.claim} of the token ${why}`, 'ask for a token for this gateway');
  }
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys)
    return new AuthError('no key of the issuer has signed the token', 'sign in again');
  if (error instanceof errors.JOSEAlgNotAllowed)
    return new AuthError('the token is signed by an algorithm that is not trusted', `use ${ALGORITHMS[0]} or ES256`);
  // A key set that cannot be had is no fault of the token.
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid || isUnreachable(error))
    return new AuthError("the issuer's keys cannot be read now", 'try again in a while', 'unavailable');
  return new AuthError('the token is not valid', 'sign in again');
}

/** What `fetch` throws, and what jose says of an answer that is not 200. */
const isUnreachable = (error: unknown): boolean =>
  error instanceof TypeError || (error instanceof errors.JOSEError && error.code === 'ERR_JOSE_GENERIC');
