/**
 * What a client says, checked: nothing it sends is believed to have the shape it should.
 *
 * @module
 */
import type { Position } from '../../../workflows/progress/model.ts';
import type { ClientMessage } from '../../live/protocol.ts';

/** Bytes of a run's name; workflow ids of Temporal are shorter. */
const RUN_CHARACTERS = 1_000;
const EPOCH_CHARACTERS = 128;
const ID_CHARACTERS = 128;
const WHAT_PATTERN = /^[a-z][A-Za-z0-9.-]{0,63}$/;
const FROM = ['cursor', 'start', 'now'];

/** @returns why it is no message, in words for whoever wrote the client */
export function parseClientMessage(text: string): ClientMessage | { wrong: string } {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    return { wrong: 'this is not JSON' };
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return { wrong: 'expected a JSON object' };
  const message = given as Record<string, unknown>;
  const wrong = check(message);
  return wrong === undefined ? (message as ClientMessage) : { wrong };
}

function check(message: Record<string, unknown>): string | undefined {
  switch (message.type) {
    case 'subscribe':
      if (message.from !== undefined && !FROM.includes(message.from as string))
        return `from: expected one of ${FROM.join(', ')}`;
      return checkRun(message.run) ?? (message.position === undefined ? undefined : checkPosition(message.position));
    case 'unsubscribe':
      return checkRun(message.run);
    case 'ack':
      return checkRun(message.run) ?? checkPosition(message.position);
    case 'renew':
      return typeof message.token === 'string' ? undefined : 'token: expected a text';
    case 'request':
      if (!isText(message.id, ID_CHARACTERS)) return `id: expected a text of up to ${ID_CHARACTERS} characters`;
      return typeof message.what === 'string' && WHAT_PATTERN.test(message.what)
        ? undefined
        : 'what: expected the name of a request';
    case 'ping':
      return undefined;
    default:
      return 'type: expected one of subscribe, unsubscribe, ack, renew, request, ping';
  }
}

const isText = (value: unknown, most: number): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= most;

const checkRun = (run: unknown): string | undefined =>
  isText(run, RUN_CHARACTERS) ? undefined : 'run: expected a workflow id';

function checkPosition(position: unknown): string | undefined {
  return isPosition(position) ? undefined : 'position: expected { epoch, seq }';
}

const isPosition = (value: unknown): value is Position =>
  typeof value === 'object' &&
  value !== null &&
  isText((value as Position).epoch, EPOCH_CHARACTERS) &&
  Number.isSafeInteger((value as Position).seq) &&
  (value as Position).seq >= 0;

/** As `<epoch>:<seq>` in the ids of SSE. */
export function parsePosition(text: string): Position | undefined {
  const [, epoch = '', seq = ''] = /^(.+):(\d{1,15})$/.exec(text) ?? [];
  const position = { epoch, seq: Number(seq) };
  return isPosition(position) ? position : undefined;
}

export const formatPosition = ({ epoch, seq }: Position): string => `${epoch}:${seq}`;
