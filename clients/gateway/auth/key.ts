/**
 * Routes for our own processes alone: whoever asks shows the key of the installation.
 *
 * @module
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { HttpError } from '../errors.ts';

/**
 * A hook `onRequest`: it refuses before a body is read, and takes as long however much of the key was right.
 * @param shown what the request shows, which has to be `expected`
 */
export function requireKey(
  expected: string,
  shown: (request: FastifyRequest) => string,
  remedy: string,
): (request: FastifyRequest) => Promise<void> {
  const digested = digest(expected);
  return async (request) => {
    if (!timingSafeEqual(digest(shown(request)), digested))
      throw new HttpError(401, 'the key of the installation is needed', remedy);
  };
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
