/**
 * MP3 as the frames it is made of. Frames of one kind can be put one behind the other, and each plays for a time that its
 * header tells; so where a part begins in the whole is known exactly, not guessed from a file's size.
 *
 * @module
 */
import CodecParser, { type CodecFrame, type MPEGHeader } from 'codec-parser';

export interface Sound {
  /** The frames alone: no tags, no header frame of an encoder. */
  bytes: Buffer;
  samples: number;
  /** Hz; 0 of a sound without frames. */
  sampleRate: number;
  channels: number;
}

/** Behind the last frame, where old players look for a title. */
const ID3V1_BYTES = 128;
/** Bytes of a Layer III frame before its data: header, check sum, side information. ISO/IEC 11172-3 and 13818-3. */
const HEADER_BYTES = 4;
const CHECK_BYTES = 2;
const SIDE_BYTES = { mpeg1: { mono: 17, stereo: 32 }, mpeg2: { mono: 9, stereo: 17 } } as const;
const TAG_BYTES = 4;
/** Fraunhofer's encoders write theirs there, whatever the channels. */
const VBRI_AT = 36;

/** What is no MP3 has no frames. */
export function readMp3(file: Uint8Array): Sound {
  const [first, ...rest] = framesOf(withoutId3v1(file));
  const frames = first === undefined ? [] : isHeaderFrame(first) ? rest : [first, ...rest];
  const header = frames[0]?.header;
  return {
    bytes: Buffer.concat(frames.map(({ data }) => data)),
    samples: frames.reduce((sum, { samples }) => sum + samples, 0),
    sampleRate: header?.sampleRate ?? 0,
    channels: header?.channels ?? 0,
  };
}

export const millisecondsOf = ({ samples, sampleRate }: Sound): number =>
  samples === 0 ? 0 : (samples / sampleRate) * 1000;

/** @throws Error where sounds are of different kinds: no player plays one behind the other */
export function joinMp3(sounds: readonly Sound[]): Sound {
  const heard = sounds.filter(({ samples }) => samples > 0);
  const [first] = heard;
  for (const { sampleRate, channels } of heard) {
    if (sampleRate !== first?.sampleRate || channels !== first.channels) {
      throw new Error(
        `sounds of ${first?.sampleRate} Hz with ${first?.channels} channels and of ${sampleRate} Hz with ${channels} cannot be joined`,
      );
    }
  }
  return {
    bytes: Buffer.concat(heard.map(({ bytes }) => bytes)),
    samples: heard.reduce((sum, { samples }) => sum + samples, 0),
    sampleRate: first?.sampleRate ?? 0,
    channels: first?.channels ?? 0,
  };
}

function framesOf(file: Uint8Array): CodecFrame[] {
  const parser = new CodecParser<CodecFrame>('audio/mpeg', { enableFrameCRC32: false });
  return parser.parseAll(file).filter(({ data, samples }) => samples > 0 && data.length > HEADER_BYTES);
}

function withoutId3v1(file: Uint8Array): Uint8Array {
  const tag = file.subarray(-ID3V1_BYTES);
  const tagged = tag.length === ID3V1_BYTES && Buffer.from(tag.subarray(0, 3)).toString('latin1') === 'TAG';
  // The parser takes a frame for one only when another one, or the end, is behind it.
  return tagged ? file.subarray(0, -ID3V1_BYTES) : file;
}

/** A frame of silence in which an encoder tells about the file it wrote: of a file that this no longer is. */
function isHeaderFrame({ data, header }: CodecFrame): boolean {
  const { mpegVersion, channels, protection } = header as MPEGHeader;
  const side =
    SIDE_BYTES[mpegVersion.startsWith('MPEG Version 1 ') ? 'mpeg1' : 'mpeg2'][channels === 1 ? 'mono' : 'stereo'];
  const at = HEADER_BYTES + (protection === 'none' ? 0 : CHECK_BYTES) + side;
  const tagAt = (place: number) => Buffer.from(data.subarray(place, place + TAG_BYTES)).toString('latin1');
  return ['Xing', 'Info'].includes(tagAt(at)) || tagAt(VBRI_AT) === 'VBRI';
}
