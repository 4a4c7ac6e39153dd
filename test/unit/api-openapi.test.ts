/** The OpenAPI document of the HTTP API: valid, and every route says what it is. */
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { openApi } from '../support/api-app.ts';

interface Operation {
  summary?: string;
  tags?: string[];
  responses?: Record<string, { description?: string; content?: Record<string, { schema?: unknown }> }>;
}

const document = async () => {
  const api = await openApi();
  const answer = await api.get('/openapi.json');
  expect(answer.statusCode).toBe(200);
  return answer.json() as {
    openapi: string;
    paths: Record<string, Record<string, Operation>>;
    components: { schemas: Record<string, unknown> };
  };
};

describe('the OpenAPI document', () => {
  it('is a valid one', async () => {
    const result = await new Validator().validate(await document());
    expect(result).toMatchObject({ valid: true });
  });

  it('has a summary, a tag and described responses for every route', async () => {
    const { paths } = await document();
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ route: `${method} ${path}`, operation })),
    );
    expect(operations.length).toBeGreaterThan(0);
    for (const { route, operation } of operations) {
      expect(operation.summary, route).toMatch(/\w/);
      expect(operation.tags, route).toHaveLength(1);
      const responses = Object.entries(operation.responses ?? {});
      const refusals = route.endsWith('/health') ? [] : ['400', '401', '404', '503'];
      expect(
        responses.map(([status]) => status),
        route,
      ).toEqual(expect.arrayContaining(['200', ...refusals]));
      for (const [status, { description, content }] of responses) {
        expect(description, `${route} ${status}`).toMatch(/\w/);
        expect(Object.values(content ?? {}), `${route} ${status}`).not.toHaveLength(0);
      }
    }
  });
});
