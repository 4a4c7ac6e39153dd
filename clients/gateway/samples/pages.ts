/**
 * The samples' pages, where they have been built: `/samples/order/` and `/samples/teleprinter/`.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import sirv from 'sirv';

export function serveSamples(app: FastifyInstance, directory: string): void {
  if (!existsSync(directory)) return;
  const files = sirv(directory, {
    etag: true,
    setHeaders: (response) => response.setHeader('cache-control', 'no-cache'),
  });
  // Its parts are named as seen from the folder.
  for (const name of ['order', 'teleprinter'])
    app.get(`/samples/${name}`, { config: { public: true } }, (_, reply) => reply.redirect(`/samples/${name}/`));
  app.get('/samples/*', { config: { public: true, rateLimit: false } }, (request, reply) => {
    reply.hijack();
    for (const [header, value] of Object.entries(reply.getHeaders()))
      if (value !== undefined) reply.raw.setHeader(header, value);
    const { raw } = request;
    raw.url = raw.url?.replace(/^\/samples/, '') ?? '/';
    files(raw, reply.raw, () => {
      reply.raw.statusCode = 404;
      reply.raw.end();
    });
  });
}
