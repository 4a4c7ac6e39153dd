/**
 * The console's files, where they have been built. Its pages have addresses of their own, all of which are the one page.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import sirv from 'sirv';

/** @returns whether there is a console */
export function serveConsole(app: FastifyInstance, directory: string): boolean {
  if (!existsSync(join(directory, 'index.html'))) return false;
  const files = sirv(directory, {
    single: true,
    // Names of runs may have dots, as names of files do: what is no file is the one page all the same.
    ignores: /^\/(api|assets)\//,
    etag: true,
    gzip: true,
    brotli: true,
    // Names of built files have a digest of what is in them.
    setHeaders: (response, path) =>
      response.setHeader(
        'cache-control',
        path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
      ),
  });
  app.get('/*', { config: { public: true, rateLimit: false } }, (request, reply) => {
    if (request.url.startsWith('/api/')) {
      reply.callNotFound();
      return;
    }
    reply.hijack();
    for (const [name, value] of Object.entries(reply.getHeaders()))
      if (value !== undefined) reply.raw.setHeader(name, value);
    files(request.raw, reply.raw, () => {
      reply.raw.statusCode = 404;
      reply.raw.end();
    });
  });
  return true;
}
