/**
 * Links to stories: an address of the gateway with a token that opens one story until it goes. Pictures and sound are signed
 * by the gateway as they are read, with whatever credentials it has by then: a link presigned for S3 would die with the
 * temporary credentials that made it.
 *
 * @module
 */
import { jwtVerify, SignJWT } from 'jose';

const ALGORITHM = 'HS256';
/** What a token of ours says it is for: no token of the gateway's users can be taken for one, nor the other way round. */
const AUDIENCE = 'longhaul-story';
export const TOKEN_PARAMETER = 't';

const keyOf = (secret: string) => new TextEncoder().encode(secret);

/**
 * @param secret the setting storyLinkKey
 * @param base the setting storyUrl
 * @param expiresAt epoch seconds
 */
export async function storyLink(secret: string, base: string, storyId: string, expiresAt: number): Promise<string> {
  const token = await new SignJWT()
    .setProtectedHeader({ alg: ALGORITHM })
    .setSubject(storyId)
    .setAudience(AUDIENCE)
    .setExpirationTime(expiresAt)
    .sign(keyOf(secret));
  return `${base}/stories/${storyId}?${TOKEN_PARAMETER}=${token}`;
}

/**
 * @param now epoch ms
 * @returns `expired`: it was good once. `invalid`: it opens nothing, or another story.
 */
export async function checkLink(
  secret: string,
  storyId: string,
  token: string,
  now: number,
): Promise<'valid' | 'expired' | 'invalid'> {
  try {
    await jwtVerify(token, keyOf(secret), {
      algorithms: [ALGORITHM],
      audience: AUDIENCE,
      subject: storyId,
      requiredClaims: ['exp', 'sub', 'aud'],
      currentDate: new Date(now),
    });
    return 'valid';
  } catch (error) {
    return (error as { code?: string }).code === 'ERR_JWT_EXPIRED' ? 'expired' : 'invalid';
  }
}
