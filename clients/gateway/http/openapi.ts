/**
 * The OpenAPI document: made of the routes themselves.
 *
 * @module
 */
import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import type { ApiDependencies } from './dependencies.ts';
import { livePaths } from './live-paths.ts';

const TAGS = {
  runs: 'Runs of every domain',
  launches: 'Launches: submit, look at, retry, cancel',
  restores: 'Restores of archived objects',
  approvals: 'Letting a run spend more than its limit',
  costs: 'What launches have cost, and would',
  families: 'Who gets a story every night, and its cast',
  stories: 'Bedtime stories: one more now, the book of past ones, links',
  progress: 'Live progress by polling and by server-sent events',
  session: 'The caller',
  telemetry: 'What the console reports of itself',
  gateway: 'The gateway itself',
} as const;

export async function describeApi(app: FastifyInstance, { version, auth }: ApiDependencies): Promise<void> {
  await app.register(swagger, {
    // What describes itself is in it, and what ./live-paths.ts describes.
    hideUntagged: true,
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Longhaul',
        version,
        description: 'The HTTP API of the gateway. Times are ISO 8601 unless a description says epoch milliseconds.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      paths: livePaths(),
      tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'Names consumers and a role.' },
        },
      },
      // `{}`: a gateway that is open asks for nothing.
      security: auth === 'open' ? [{}, { bearer: [] }] : [{ bearer: [] }],
    },
    refResolver: {
      buildLocalReference: (json, _base, _fragment, place) =>
        typeof json.$id === 'string' ? json.$id : `def-${place}`,
    },
  });
}
