/**
 * Pages, and the tokens they go on by: opaque, of one question only, and not for ever.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import type { Clock } from '../../kit/clock.ts';
import { AwsError } from '../../kit/service.ts';

type Json = Record<string, unknown>;

const MOST_RESULTS = 100;
/** AWS says that tokens expire, not when. */
const TOKEN_LIFE_MS = 60 * 60 * 1000;

/** @throws AwsError for a token that was not given for the same question, or too long ago */
export function pageOf<T>(
  all: readonly T[],
  input: Json,
  { operation, clock }: { operation: string; clock: Clock },
): { items: T[]; NextToken?: string } {
  const { MaxResults = MOST_RESULTS, NextToken, ...question } = input;
  if (!Number.isInteger(MaxResults) || Number(MaxResults) < 1 || Number(MaxResults) > MOST_RESULTS) {
    throw new AwsError('InvalidParameterException', `MaxResults must be between 1 and ${MOST_RESULTS}`);
  }
  const asked = createHash('sha256')
    .update(JSON.stringify([operation, question]))
    .digest('hex');
  const from = NextToken === undefined ? 0 : readToken(String(NextToken), asked, clock);
  const end = from + Number(MaxResults);
  const token = [asked, end, clock.now()].join(':');
  return {
    items: all.slice(from, end),
    ...(end < all.length && { NextToken: Buffer.from(token).toString('base64') }),
  };
}

function readToken(token: string, asked: string, clock: Clock): number {
  const [question, from, at] = Buffer.from(token, 'base64').toString('utf8').split(':');
  if (question !== asked) throw new AwsError('InvalidNextTokenException', 'The pagination token is invalid');
  if (clock.now() - Number(at) > TOKEN_LIFE_MS) {
    throw new AwsError('ExpiredNextTokenException', 'The pagination token has expired');
  }
  return Number(from);
}
