/**
 * OpenAI's stand-in behind a front door of its own, at `<url>/v1`: models, chat completions, image generations and
 * moderations by their real wire forms. It really writes (rhymes, by templates) and really draws (night scenes): the same
 * request gets the same text and the same picture.
 *
 * Refused is what OpenAI refuses, in its words as far as they are published; what the stand-in does not have (tools, audio,
 * `n` above 1 of completions, JPEG and WebP, streamed pictures) is a 400 with the code `not_in_stand_in`. Keys that begin
 * with `sk-` are accepted. Nothing is kept on disk.
 *
 * What OpenAI would do of its own accord is asked for by a queue: see `behaviours.ts`. What the network and the service do
 * to a call is asked for by the fault plan, service `openai`, operations `createChatCompletion`, `createImage`,
 * `createModeration`, `listModels` and `retrieveModel`, subject the model: `throttle` is 429 with `retry-after`, `error` with
 * status 429 and code `insufficient_quota` the spent account.
 *
 * @module
 */
import { createKit, type FrontDoor, type Kit, openFrontDoor } from '../kit/front-door.ts';
import { Behaviours } from './behaviours.ts';
import { createChatCompletion } from './chat/operation.ts';
import { createImage } from './images/operation.ts';
import { RateLimits } from './limits.ts';
import { DEFAULT_MODELS, listModels, Models, retrieveModel } from './models.ts';
import { createModeration } from './moderations/operation.ts';
import { createOpenAi } from './service.ts';

/** Of a paid account of some size; a demo does not come near them. */
const REQUESTS_PER_MINUTE = 10_000;
const TOKENS_PER_MINUTE = 10_000_000;
/** Of a streamed answer, so that it comes bit by bit and yet soon. */
const TOKEN_MS = 1;

export interface OpenAiOptions {
  /** 0 chooses a free port. */
  port?: number;
  kit?: Kit;
  /** Ids of the models there are; what each is for is told by its name, as OpenAI gives them. */
  models?: readonly string[];
  /** Milliseconds each token of a streamed answer takes. */
  tokenMs?: number;
  /** Of each model. */
  requestsPerMinute?: number;
  tokensPerMinute?: number;
}

export interface OpenAi extends FrontDoor {
  kit: Kit;
}

export async function openOpenAi(options: OpenAiOptions = {}): Promise<OpenAi> {
  const kit = options.kit ?? createKit();
  const models = new Models(options.models ?? DEFAULT_MODELS);
  const behaviours = new Behaviours(kit);
  const limits = new RateLimits(kit.clock, {
    requests: options.requestsPerMinute ?? REQUESTS_PER_MINUTE,
    tokens: options.tokensPerMinute ?? TOKENS_PER_MINUTE,
  });
  const shared = { kit, models, behaviours };
  const service = createOpenAi(limits, [
    listModels(shared),
    retrieveModel(shared),
    createChatCompletion({ ...shared, tokenMs: options.tokenMs ?? TOKEN_MS }),
    createImage(shared),
    createModeration(shared),
  ]);
  return { ...(await openFrontDoor(kit, [service], options.port)), kit };
}
