/**
 * Script, style sheet and icon of the pages, as they were built.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import sirv from 'sirv';
import type { Assets } from '../../story-page/render.tsx';

const PREFIX = '/story-assets/';

/** Addresses are relative, so that pages may stand below a prefix of somebody else's. */
export type AssetsAt = (depth: number) => Assets;

/** @throws Error when they have not been built */
export function serveAssets(app: FastifyInstance, directory: string): AssetsAt {
  const manifest = JSON.parse(readFileSync(join(directory, 'manifest.json'), 'utf8')) as Omit<Assets, 'base'>;
  const known = new Set([manifest.script, manifest.style, manifest.icon].map((name) => `/${name}`));
  const files = sirv(directory, {
    gzip: true,
    brotli: true,
    // Names have a digest of what is in them.
    maxAge: 31_536_000,
    immutable: true,
  });
  app.get(`${PREFIX}*`, { config: { public: true, rateLimit: false } }, (request, reply) => {
    const path = request.url.slice(PREFIX.length - 1).split('?', 1)[0] ?? '';
    if (!known.has(path)) {
      reply.callNotFound();
      return;
    }
    reply.hijack();
    for (const [name, value] of Object.entries(reply.getHeaders()))
      if (value !== undefined) reply.raw.setHeader(name, value);
    request.raw.url = path;
    files(request.raw, reply.raw, () => {
      reply.raw.statusCode = 404;
      reply.raw.end();
    });
  });
  return (depth) => ({ ...manifest, base: `${'../'.repeat(depth)}${PREFIX.slice(1)}` });
}
