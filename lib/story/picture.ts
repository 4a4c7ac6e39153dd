/**
 * Pictures as bytes: what they are, by their first bytes, whatever they are said to be.
 *
 * @module
 */

export const PICTURE_TYPES = { png: 'image/png', webp: 'image/webp', jpg: 'image/jpeg' } as const;
export type PictureExtension = keyof typeof PICTURE_TYPES;

/** A picture of these models has a few MB; S3, the moderation and a phone take so many. */
export const MOST_PICTURE_BYTES = 16 * 1024 * 1024;
/** Less is no picture. */
const LEAST_PICTURE_BYTES = 64;

/** PNG 1.2 §5.2; RFC 9649 §2.4 (RIFF, four bytes of size, WEBP); JPEG: start of image, and the first marker. */
const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const JPEG = Buffer.from([0xff, 0xd8, 0xff]);

/** @returns undefined for anything else */
export function pictureType(bytes: Buffer): PictureExtension | undefined {
  if (bytes.subarray(0, PNG.length).equals(PNG)) return 'png';
  if (bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP') return 'webp';
  return bytes.subarray(0, JPEG.length).equals(JPEG) ? 'jpg' : undefined;
}

/**
 * @param base64 `b64_json` of an answer
 * @returns why it is no picture, in words for people
 */
export function readPicture(base64: unknown): { bytes: Buffer; extension: PictureExtension } | string {
  if (typeof base64 !== 'string' || base64 === '') return 'there is no picture in it';
  if (base64.length > (MOST_PICTURE_BYTES / 3) * 4 + 4) return `it has more than ${MOST_PICTURE_BYTES} bytes`;
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return 'it is not base64';
  const bytes = Buffer.from(base64, 'base64');
  const extension = pictureType(bytes);
  if (!extension || bytes.length < LEAST_PICTURE_BYTES) return 'it is neither PNG nor WebP nor JPEG';
  return { bytes, extension };
}
