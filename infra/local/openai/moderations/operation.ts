/**
 * createModeration: texts by a list of words, pictures by the mark that the stand-in's own generator puts into those that
 * are meant to be flagged.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { openAiError } from '../errors.ts';
import { isMarked, readPicture } from '../images/picture.ts';
import { isObject, missing, readString, unknownParameter, wrongType, wrongValue } from '../input.ts';
import { type Json, jsonAnswer, type Operation, type Shared } from '../service.ts';
import { CATEGORIES, type Category, categoriesOf, OF_PICTURES } from './words.ts';

const DEFAULT_MODEL = 'omni-moderation-latest';

/** What gets one verdict. */
interface Subject {
  texts: string[];
  pictures: Buffer[];
}

export function createModeration({ models, behaviours }: Shared): Operation {
  return {
    name: 'createModeration',
    method: 'POST',
    path: /^\/v1\/moderations$/,
    defaultModel: DEFAULT_MODEL,
    async run({ input, gone }) {
      const unknown = Object.keys(input).find((name) => name !== 'input' && name !== 'model');
      if (unknown !== undefined) throw unknownParameter(unknown);
      const model = models.check(input.model ?? DEFAULT_MODEL, 'moderation');
      const subjects = readSubjects(input.input);
      const verdicts = subjects.map((subject) => ({ subject, flagged: flagsOf(subject) }));
      const forced = (await behaviours.take('createModeration', input, gone)) === 'flag';
      return jsonAnswer({
        id: `modr-${randomBytes(14).toString('hex')}`,
        model,
        results: verdicts.map(({ subject, flagged }) => resultOf(subject, forced ? new Set(['violence']) : flagged)),
      });
    },
  };
}

function readSubjects(value: unknown): Subject[] {
  if (value === undefined || value === null) throw missing('input');
  if (typeof value === 'string') return [{ texts: [value], pictures: [] }];
  if (!Array.isArray(value)) throw wrongType('input', 'one of a string, array of strings, or array of objects', value);
  if (value.length === 0) {
    throw openAiError(
      "Invalid 'input': empty array. Expected an array with minimum length 1, but got an empty array instead.",
      { param: 'input', code: 'empty_array' },
    );
  }
  if (value.every((one) => typeof one === 'string')) return value.map((text) => ({ texts: [text], pictures: [] }));
  const subject: Subject = { texts: [], pictures: [] };
  const images = value.filter((part) => isObject(part) && part.type === 'image_url').length;
  if (images > 1) {
    throw openAiError(`Number of images (${images}) exceeds maximum of 1`, { param: 'input', code: 'too_many_images' });
  }
  for (const [index, part] of value.entries()) readPart(part, `input[${index}]`, subject);
  return [subject];
}

function readPart(part: unknown, path: string, subject: Subject): void {
  if (!isObject(part)) throw wrongType(path, 'an object', part);
  if (part.type === 'text') {
    const text = readString(part, 'text', `${path}.text`);
    if (text === undefined) throw missing(`${path}.text`);
    subject.texts.push(text);
    return;
  }
  if (part.type !== 'image_url') throw wrongValue(`${path}.type`, part.type, ['text', 'image_url']);
  const image: Json = isObject(part.image_url) ? part.image_url : {};
  const url = readString(image, 'url', `${path}.image_url.url`);
  if (url === undefined) throw missing(`${path}.image_url.url`);
  subject.pictures.push(bytesOf(url, `${path}.image_url.url`));
}

function bytesOf(url: string, param: string): Buffer {
  if (/^https?:/.test(url)) {
    throw openAiError(`Failed to download image from ${url}.`, { param, code: 'image_url_unavailable' });
  }
  const [, base64] = /^data:image\/[\w.+-]+;base64,([A-Za-z0-9+/]+=*)$/.exec(url) ?? [];
  if (base64 !== undefined) return Buffer.from(base64, 'base64');
  throw openAiError(
    `Invalid '${param}'. Expected a base64-encoded data URL with an image MIME type (e.g. 'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU=').`,
    { param, code: 'invalid_value' },
  );
}

/** @throws AwsError 400 for a picture that cannot be read */
function flagsOf({ texts, pictures }: Subject): Set<Category> {
  const marked = pictures.filter((bytes) => isMarked(readPicture(bytes)));
  return new Set([...texts.flatMap(categoriesOf), ...(marked.length > 0 ? (['violence'] as const) : [])]);
}

function resultOf({ texts, pictures }: Subject, flagged: ReadonlySet<Category>) {
  const typesOf = (category: Category) => [
    ...(texts.length > 0 ? ['text'] : []),
    ...(pictures.length > 0 && OF_PICTURES.has(category) ? ['image'] : []),
  ];
  const by = <T>(of: (category: Category, index: number) => T) =>
    Object.fromEntries(CATEGORIES.map((category, index) => [category, of(category, index)]));
  return {
    flagged: flagged.size > 0,
    categories: by((category) => flagged.has(category)),
    // The true ones are no round numbers either.
    category_scores: by((category, index) => (flagged.has(category) ? 0.9642 : 0.000_011_4 * (index + 1))),
    category_applied_input_types: by(typesOf),
  };
}
