/**
 * What is to be spoken of a request's text, and where each of its characters stands in that text: speech marks count in
 * bytes of what was sent, eSpeak in code points of what it was given.
 *
 * @module
 */
import { XMLValidator } from 'fast-xml-parser';
import { AwsError } from '../../kit/service.ts';

export interface SpokenText {
  /** Without tags and control characters. */
  text: string;
  /** For each UTF-16 unit of `text`: where its character begins and ends in the request's text, in UTF-8 bytes. */
  begins: Uint32Array;
  ends: Uint32Array;
  /** Characters that are billed: those of tags are not. */
  billed: number;
}

/** Tags that say nothing of how to speak; Polly has many more. */
const KNOWN_TAGS: Readonly<Record<string, string>> = { speak: '', p: '\n\n', s: '\n\n' };

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

const invalidSsml = (why: string) => new AwsError('InvalidSsmlException', `Invalid SSML request: ${why}`);

export function plainText(source: string): SpokenText {
  const parts = new Parts(source);
  parts.say(0, source.length);
  return parts.done();
}

/**
 * @throws AwsError InvalidSsmlException for what is no XML or has another root; also for tags that Polly knows and this
 * stand-in does not
 */
export function ssmlText(source: string): SpokenText {
  const valid = XMLValidator.validate(source);
  if (valid !== true) throw invalidSsml(`${valid.err.msg} at line ${valid.err.line}`);
  if (!/^\s*<speak[\s>/]/.test(source)) throw invalidSsml('the root is not <speak>');
  const parts = new Parts(source);
  // What is between tags, a tag, an entity, a lone sign that the validator has let pass.
  for (const found of source.matchAll(/[^<&]+|<(\/?)([^\s>/]+)[^>]*>|&(#x[\da-f]+|#\d+|\w+);|[<&]/gi)) {
    const [whole, , tag, entity] = found;
    const end = found.index + whole.length;
    if (tag !== undefined) parts.insert(pauseOf(tag), found.index, end);
    else if (entity !== undefined) parts.insert(characterOf(entity), found.index, end, true);
    else parts.say(found.index, end);
  }
  return parts.done();
}

function pauseOf(tag: string): string {
  const pause = Object.hasOwn(KNOWN_TAGS, tag) ? KNOWN_TAGS[tag] : undefined;
  if (pause === undefined) {
    throw invalidSsml(`this stand-in knows <${Object.keys(KNOWN_TAGS).join('>, <')}>, not <${tag}>`);
  }
  return pause;
}

function characterOf(entity: string): string {
  if (!entity.startsWith('#')) {
    const character = Object.hasOwn(ENTITIES, entity) ? ENTITIES[entity] : undefined;
    if (character === undefined) throw invalidSsml(`the entity &${entity}; is not known`);
    return character;
  }
  const code = /^#x/i.test(entity) ? Number.parseInt(entity.slice(2), 16) : Number(entity.slice(1));
  if (!(code > 0 && code <= 0x10ffff) || (code >= 0xd800 && code <= 0xdfff)) {
    throw invalidSsml(`&${entity}; is no character`);
  }
  return String.fromCodePoint(code);
}

class Parts {
  readonly #source: string;
  /** For each UTF-16 unit of the source and behind it: UTF-8 bytes before. */
  readonly #bytes: Uint32Array;
  #text = '';
  #billed = 0;
  readonly #begins: number[] = [];
  readonly #ends: number[] = [];

  constructor(source: string) {
    this.#source = source;
    this.#bytes = new Uint32Array(source.length + 1);
    let total = 0;
    let index = 0;
    for (const character of source) {
      this.#bytes.fill(total, index, index + character.length);
      total += Buffer.byteLength(character);
      index += character.length;
    }
    this.#bytes[source.length] = total;
  }

  /** A stretch of the source as it is; what a C string or a voice cannot take is a space. */
  say(begin: number, end: number): void {
    let index = begin;
    for (const character of this.#source.slice(begin, end)) {
      const spoken = /[\p{Cc}\p{Cs}\p{Cn}]/u.test(character) && character !== '\n' ? ' ' : character;
      this.#put(spoken.padEnd(character.length), index, index + character.length);
      this.#billed += 1;
      index += character.length;
    }
  }

  insert(text: string, begin: number, end: number, billed = false): void {
    this.#put(text, begin, end);
    if (billed) this.#billed += 1;
  }

  done(): SpokenText {
    const { length } = this.#begins;
    return {
      text: this.#text,
      begins: Uint32Array.from({ length }, (_, index) => this.#begins[index] ?? 0),
      ends: Uint32Array.from({ length }, (_, index) => this.#ends[index] ?? 0),
      billed: this.#billed,
    };
  }

  #put(text: string, begin: number, end: number): void {
    this.#text += text;
    for (let unit = 0; unit < text.length; unit += 1) {
      this.#begins.push(this.#bytes[begin] ?? 0);
      this.#ends.push(this.#bytes[end] ?? 0);
    }
  }
}
