/**
 * What a browser and a reading system take for the picture of a story, and for its sound (EPUB 3.3, core media types).
 *
 * @module
 */
const PICTURES: Readonly<Record<string, string>> = {
  'image/png': 'png',
  'image/webp': 'webp',
  'image/jpeg': 'jpg',
  'image/svg+xml': 'svg',
};
const SOUNDS: Readonly<Record<string, string>> = { 'audio/mpeg': 'mp3' };

export const isPicture = (mediaType: string | undefined): boolean => Object.hasOwn(PICTURES, mediaType ?? '');
export const isSound = (mediaType: string | undefined): boolean => Object.hasOwn(SOUNDS, mediaType ?? '');

export const extensionOf = (mediaType: string): string => PICTURES[mediaType] ?? SOUNDS[mediaType] ?? 'bin';
