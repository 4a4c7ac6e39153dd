/**
 * A story as an EPUB 3.3 that reads itself aloud where reading systems can (media overlays). The same story gives the same
 * bytes.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { strToU8, type Zippable, zipSync } from 'fflate';
import { escapeXml, plainText } from './characters.ts';
import type { SpeechMarks } from './document.ts';
import { ACTIVE_CLASS, contentsPage, type EpubText, STYLE, storyPage } from './epub-pages.ts';
import { directionOf, languageOf } from './language.ts';
import { extensionOf } from './media-types.ts';
import { clock, followable, overlayOf } from './smil.ts';
import { spokenWords } from './words.ts';

export interface EpubInput {
  storyId: string;
  title: string;
  paragraphs: readonly string[];
  /** BCP 47. */
  language: string;
  /** ISO 8601: since when it is as it is. */
  changedAt: string;
  /** `image/png`, `image/jpeg`, `image/webp` or `image/svg+xml`. */
  picture?: { bytes: Uint8Array; mediaType: string; alt: string };
  /** `audio/mpeg`; without marks it is played, and no word lit. */
  sound?: { bytes: Uint8Array; mediaType: string; marks?: SpeechMarks };
}

export const EPUB_MEDIA_TYPE = 'application/epub+zip';
/** What ZIP calls the begin of time, wherever this runs: no clock, no time zone in the bytes. */
const mtime = () => new Date(1980, 0, 1);

const CONTAINER = `<?xml version="1.0" encoding="UTF-8"?>
<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0">
<rootfiles><rootfile full-path="EPUB/package.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>
`;

interface Entry {
  id: string;
  file: string;
  mediaType: string;
  more?: string;
}

export function epubOf(input: EpubInput): Uint8Array {
  const { picture, sound } = input;
  const seconds = sound?.marks?.seconds ?? 0;
  const words = sound?.marks ? followable(spokenWords(input, sound.marks), seconds) : [];
  const pictureFile = picture && `cover.${extensionOf(picture.mediaType)}`;
  const soundFile = sound && `story.${extensionOf(sound.mediaType)}`;
  const overlaid = soundFile !== undefined && words.length > 0;
  const text: EpubText = {
    title: plainText(input.title) === '' ? 'A story' : input.title,
    paragraphs: input.paragraphs,
    language: languageOf(input.language),
    direction: directionOf(input.language),
    words,
    ...(picture && pictureFile !== undefined && { picture: { file: pictureFile, alt: picture.alt } }),
    ...(soundFile !== undefined && !overlaid && { sound: soundFile }),
  };
  const overlay = overlaid ? ' media-overlay="overlay"' : '';
  const entries: Entry[] = [
    { id: 'contents', file: 'contents.xhtml', mediaType: 'application/xhtml+xml', more: ' properties="nav"' },
    { id: 'story', file: 'story.xhtml', mediaType: 'application/xhtml+xml', more: overlay },
    { id: 'style', file: 'style.css', mediaType: 'text/css' },
  ];
  const files: Zippable = {
    // First and as it is, so that the first bytes say what this is.
    mimetype: [strToU8(EPUB_MEDIA_TYPE), { level: 0 }],
    'META-INF/container.xml': strToU8(CONTAINER),
    'EPUB/contents.xhtml': strToU8(contentsPage(text)),
    'EPUB/story.xhtml': strToU8(storyPage(text)),
    'EPUB/style.css': strToU8(STYLE),
  };
  if (picture && pictureFile !== undefined) {
    entries.push({ id: 'cover', file: pictureFile, mediaType: picture.mediaType, more: ' properties="cover-image"' });
    files[`EPUB/${pictureFile}`] = [picture.bytes, { level: picture.mediaType === 'image/svg+xml' ? 9 : 0 }];
  }
  if (sound && soundFile !== undefined) {
    entries.push({ id: 'sound', file: soundFile, mediaType: sound.mediaType });
    files[`EPUB/${soundFile}`] = [sound.bytes, { level: 0 }];
  }
  if (overlaid) {
    entries.push({ id: 'overlay', file: 'story.smil', mediaType: 'application/smil+xml' });
    files['EPUB/story.smil'] = strToU8(overlayOf(words, seconds, soundFile));
  }
  files['EPUB/package.opf'] = strToU8(packageOf(input, text, entries, overlaid ? seconds : undefined));
  return zipSync(files, { level: 9, mtime: mtime() });
}

function packageOf(input: EpubInput, text: EpubText, entries: readonly Entry[], seconds: number | undefined): string {
  const features = ['tableOfContents', 'readingOrder', 'structuralNavigation', 'displayTransformability'];
  const modes = ['textual'];
  const overlay: string[] = [];
  if (text.picture) {
    modes.push('visual');
    features.push('alternativeText');
  }
  if (input.sound) modes.push('auditory');
  if (seconds !== undefined) {
    features.push('synchronizedAudioText');
    const duration = clock(seconds * 1000);
    overlay.push(
      meta('media:duration', duration),
      `<meta property="media:duration" refines="#overlay">${duration}</meta>`,
      meta('media:active-class', ACTIVE_CLASS),
    );
  }
  const metadata = [
    `<dc:identifier id="id">urn:uuid:${uuidOf(input.storyId)}</dc:identifier>`,
    `<dc:title>${escapeXml(plainText(text.title))}</dc:title>`,
    `<dc:language>${text.language}</dc:language>`,
    meta('dcterms:modified', new Date(input.changedAt).toISOString().replace(/\.\d+Z$/, 'Z')),
    ...modes.map((mode) => meta('schema:accessMode', mode)),
    meta('schema:accessModeSufficient', 'textual'),
    ...features.map((feature) => meta('schema:accessibilityFeature', feature)),
    meta('schema:accessibilityHazard', 'none'),
    ...overlay,
  ];
  const manifest = entries.map(
    ({ id, file, mediaType, more = '' }) => `<item id="${id}" href="${file}" media-type="${mediaType}"${more}/>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" xml:lang="${text.language}" dir="${text.direction}">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
${metadata.join('\n')}
</metadata>
<manifest>
${manifest.join('\n')}
</manifest>
<spine page-progression-direction="${text.direction}">
<itemref idref="story"/>
</spine>
</package>
`;
}

const meta = (property: string, value: string): string => `<meta property="${property}">${value}</meta>`;

/** The same for the same story, and tells nothing of whose it is (UUID version 8, RFC 9562). */
function uuidOf(storyId: string): string {
  const hex = createHash('sha256').update(storyId).digest('hex');
  const variant = ((Number.parseInt(hex[16] ?? '0', 16) & 0x3) | 0x8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}
