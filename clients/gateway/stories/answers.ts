/**
 * How pages and data of stories are answered: kept by nobody, found by no search engine, with nothing from elsewhere but
 * pictures and sound out of the bucket.
 *
 * @module
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type NoticeName, noticeDocument } from '../../story-page/render.tsx';
import { preferredLanguage } from '../../story-page/view/words.ts';
import { errorBody } from '../errors.ts';
import type { AssetsAt } from './assets.ts';

const NOTICES: Readonly<Record<NoticeName, { status: number; code: string; message: string; remedy: string }>> = {
  gone: {
    status: 410,
    code: 'gone',
    message: 'this story has gone: stories stay for two days',
    remedy: 'open the link of a newer one',
  },
  unknown: {
    status: 404,
    code: 'not-found',
    message: 'there is no such story, or this link does not open it',
    remedy: 'open the link as it came, whole',
  },
  notYet: {
    status: 404,
    code: 'not-found',
    message: 'the story is still being written',
    remedy: 'try again in a minute',
  },
  busy: { status: 503, code: 'unavailable', message: 'too many ask at once', remedy: 'try again in a minute' },
};
const RETRY_SECONDS = '60';

export const PRIVATE = {
  'cache-control': 'private, no-store',
  'referrer-policy': 'no-referrer',
  'x-robots-tag': 'noindex, nofollow',
} as const;

/** @param media origin of pictures and sound */
export function policyOf(media?: string): string {
  const from = media === undefined ? '' : ` ${media}`;
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `img-src 'self'${from}`,
    ...(media === undefined ? [] : [`media-src ${media}`]),
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join(';');
}

export const sendPage = (reply: FastifyReply, html: string, media?: string): FastifyReply =>
  reply
    .headers({ ...PRIVATE, 'content-security-policy': policyOf(media), 'content-type': 'text/html; charset=utf-8' })
    .send(html);

/** For people. @param depth of the address: how far up the gateway's root is. @param book address of the book */
export function sendNotice(
  request: FastifyRequest,
  reply: FastifyReply,
  { name, assets, depth, book }: { name: NoticeName; assets: AssetsAt; depth: number; book?: string | undefined },
): FastifyReply {
  const language = preferredLanguage(request.headers['accept-language']);
  if (name === 'busy') void reply.header('retry-after', RETRY_SECONDS);
  return sendPage(reply.code(NOTICES[name].status), noticeDocument(name, language, assets(depth), book));
}

/** For programs. */
export function sendProblem(reply: FastifyReply, name: NoticeName): FastifyReply {
  const { status, code, message, remedy } = NOTICES[name];
  if (name === 'busy') void reply.header('retry-after', RETRY_SECONDS);
  return reply
    .code(status)
    .headers(PRIVATE)
    .send(errorBody(code, message, remedy));
}

/** Whether the client has this version (RFC 9110, 13.1.2: weakly compared). */
export const hasVersion = (header: string | undefined, etag: string): boolean =>
  header === '*' || (header ?? '').split(',').some((one) => one.trim().replace(/^W\//, '') === etag);
