/**
 * The models there are, and the two operations that tell of them. What a model is for is told by its id, as OpenAI gives
 * them: `gpt-image-…` draws, `…-moderation-…` moderates, every other one writes.
 *
 * @module
 */
import { openAiError } from './errors.ts';
import { jsonAnswer, type Operation, type Shared } from './service.ts';

export const DEFAULT_MODELS: readonly string[] = ['gpt-5-mini', 'gpt-image-2', 'omni-moderation-latest'];

/** An alias leads to a dated snapshot, which the answer names; those that are known by now. */
const SNAPSHOTS: Readonly<Record<string, string>> = {
  'gpt-5': '2025-08-07',
  'gpt-5-mini': '2025-08-07',
  'gpt-5-nano': '2025-08-07',
  'gpt-4o': '2024-08-06',
  'gpt-4o-mini': '2024-07-18',
  'gpt-4.1': '2025-04-14',
  'gpt-4.1-mini': '2025-04-14',
};

export type ModelKind = 'chat' | 'image' | 'moderation';

const kindOf = (model: string): ModelKind =>
  /^(chat)?gpt-image-/.test(model) ? 'image' : /-moderation-/.test(model) ? 'moderation' : 'chat';

export class Models {
  readonly #ids: ReadonlySet<string>;
  readonly #created: number;

  constructor(ids: readonly string[]) {
    this.#ids = new Set(ids.flatMap((id) => (SNAPSHOTS[id] ? [id, snapshotOf(id)] : [id])));
    this.#created = Date.UTC(2026, 0, 1) / 1000;
  }

  list(): Record<string, unknown>[] {
    return [...this.#ids].map((id) => this.#view(id));
  }

  find(id: string): Record<string, unknown> | undefined {
    return this.#ids.has(id) ? this.#view(id) : undefined;
  }

  /**
   * @returns the name of what answers
   * @throws AwsError 404 model_not_found; 400, or 404 of chat, for a model that does something else
   */
  check(model: unknown, kind: ModelKind): string {
    if (model === undefined) throw openAiError('you must provide a model parameter');
    if (typeof model !== 'string') {
      throw openAiError("Invalid type for 'model': expected a string.", { param: 'model', code: 'invalid_type' });
    }
    if (!this.#ids.has(model)) {
      throw openAiError(`The model \`${model}\` does not exist or you do not have access to it.`, {
        status: 404,
        code: 'model_not_found',
      });
    }
    if (kindOf(model) === kind) return snapshotOf(model);
    if (kind === 'chat') {
      throw openAiError('This is not a chat model and thus not supported in the v1/chat/completions endpoint.', {
        status: 404,
        param: 'model',
      });
    }
    throw openAiError(`Invalid value: '${model}'. The model is not one for ${kind} requests.`, {
      param: 'model',
      code: 'invalid_value',
    });
  }

  #view(id: string): Record<string, unknown> {
    return { id, object: 'model', created: this.#created, owned_by: 'system' };
  }
}

const snapshotOf = (id: string): string => (SNAPSHOTS[id] ? `${id}-${SNAPSHOTS[id]}` : id);

export const listModels = ({ models }: Shared): Operation => ({
  name: 'listModels',
  method: 'GET',
  path: /^\/v1\/models$/,
  run: async () => jsonAnswer({ object: 'list', data: models.list() }),
});

export const retrieveModel = ({ models }: Shared): Operation => ({
  name: 'retrieveModel',
  method: 'GET',
  path: /^\/v1\/models\/([^/]+)$/,
  async run({ captured }) {
    const model = models.find(captured);
    if (model) return jsonAnswer(model);
    throw openAiError(`The model '${captured}' does not exist`, {
      status: 404,
      param: 'model',
      code: 'model_not_found',
    });
  },
});
