/**
 * createImage: a picture by a GPT image model, as base64 and as PNG.
 *
 * @module
 */
import { type Does } from '../behaviours.ts';
import { moderationBlocked, notInStandIn, openAiError } from '../errors.ts';
import { listed, missing, readBoolean, readChoice, readInteger, readString, unknownParameter } from '../input.ts';
import { type Json, jsonAnswer, type Operation, type Shared } from '../service.ts';
import { countTokens } from '../tokens.ts';
import { mark, writePicture } from './picture.ts';
import { drawScene } from './scene.ts';
import { imageTokens, type Quality, readSize } from './sizes.ts';

const KNOWN = [
  'background',
  'model',
  'moderation',
  'n',
  'output_compression',
  'output_format',
  'partial_images',
  'prompt',
  'quality',
  'size',
  'stream',
  'user',
];
const MOST_CHARACTERS = 32_000;

interface ImageRequest {
  prompt: string;
  n: number;
  size: { width: number; height: number };
  quality: Quality;
}

export function createImage({ models, behaviours, kit }: Shared): Operation {
  return {
    name: 'createImage',
    method: 'POST',
    path: /^\/v1\/images\/generations$/,
    async run({ input, requestId, gone }) {
      const model = models.check(input.model ?? undefined, 'image');
      const { prompt, n, size, quality } = readRequest(input, model);
      const behaviour = await behaviours.take('createImage', input, gone);
      if (behaviour === 'moderation_blocked') throw moderationBlocked(requestId, ['violence']);
      const textTokens = countTokens(prompt);
      const outputTokens = n * imageTokens(size, quality);
      return jsonAnswer({
        created: Math.floor(kit.clock.now() / 1000),
        background: 'opaque',
        data: Array.from({ length: n }, (_, index) => ({
          b64_json: draw(prompt, index, size, behaviour).toString('base64'),
        })),
        output_format: 'png',
        quality,
        size: `${size.width}x${size.height}`,
        usage: {
          input_tokens: textTokens,
          input_tokens_details: { image_tokens: 0, text_tokens: textTokens },
          output_tokens: outputTokens,
          total_tokens: textTokens + outputTokens,
        },
      });
    },
  };
}

function draw(
  prompt: string,
  index: number,
  size: ImageRequest['size'],
  behaviour: Does<'createImage'> | undefined,
): Buffer {
  if (behaviour === 'broken') return Buffer.from('this is no picture');
  const pixels = drawScene(prompt, index, size);
  if (behaviour === 'unsafe') mark(pixels);
  return writePicture(pixels);
}

function readRequest(input: Json, model: string): ImageRequest {
  const unknown = Object.keys(input).find((name) => !KNOWN.includes(name));
  if (unknown !== undefined) throw unknownParameter(unknown);
  const prompt = readString(input, 'prompt');
  if (prompt === undefined) throw missing('prompt');
  if (prompt === '') {
    throw openAiError(
      "Invalid 'prompt': empty string. Expected a string with minimum length 1, but got an empty string instead.",
      {
        param: 'prompt',
        code: 'empty_string',
      },
    );
  }
  if (prompt.length > MOST_CHARACTERS) {
    throw openAiError(
      `Invalid 'prompt': string too long. Expected a string with maximum length ${MOST_CHARACTERS}, but got a string with length ${prompt.length} instead.`,
      { param: 'prompt', code: 'string_above_max_length' },
    );
  }
  readChoice(input, 'moderation', ['low', 'auto']);
  checkNotHere(input);
  const quality = readChoice(input, 'quality', ['low', 'medium', 'high', 'auto']) ?? 'auto';
  return {
    prompt,
    n: readInteger(input, 'n', 1, 10) ?? 1,
    size: readSize(readString(input, 'size') ?? 'auto', model),
    quality: quality === 'auto' ? 'medium' : (quality as Quality),
  };
}

/** What OpenAI has and the stand-in has not. */
function checkNotHere(input: Json): void {
  const formats = ['png', 'jpeg', 'webp'];
  const format = readChoice(input, 'output_format', formats) ?? 'png';
  if (format !== 'png')
    throw notInStandIn(`the output format '${format}': of ${listed(formats)} it has 'png'`, 'output_format');
  if (readInteger(input, 'output_compression', 0, 100) !== undefined) {
    throw openAiError('Compression less than 100 is not supported for PNG output format', {
      param: 'output_compression',
      code: 'invalid_png_output_compression',
    });
  }
  if (readChoice(input, 'background', ['transparent', 'opaque', 'auto']) === 'transparent') {
    throw notInStandIn('transparent backgrounds', 'background');
  }
  if (readBoolean(input, 'stream') || (readInteger(input, 'partial_images', 0, 3) ?? 0) > 0) {
    throw notInStandIn('streamed pictures', 'stream');
  }
}
