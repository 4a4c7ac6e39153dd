/**
 * The routes of live progress and of health, for the OpenAPI document: they are the gateway's own, see docs/live.md.
 *
 * @module
 */
const json = (schema: Record<string, unknown>) => ({ 'application/json': { schema } });
const component = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const query = (name: string, type: 'string' | 'integer', description: string) => ({
  name,
  in: 'query' as const,
  required: false,
  description,
  schema: { type },
});
const WORKFLOW_ID = {
  name: 'workflowId',
  in: 'path' as const,
  required: true,
  description: 'Workflow id, such as `launch/cohort-7`.',
  schema: { type: 'string' as const },
};
const refused = (description: string) => ({ description, content: json(component('ApiError')) });
const REFUSALS = {
  '400': refused('Something in the request cannot be used.'),
  '401': refused('No token, or one that is not valid now.'),
  '404': refused('There is no such run, or it is not for this token to see.'),
  '503': refused('The log cannot be read now.'),
};

const ofRun = (
  summary: string,
  content: Record<string, { schema: object }>,
  parameters: readonly ReturnType<typeof query>[] = [],
) => ({
  get: {
    tags: ['progress'],
    summary,
    parameters: [WORKFLOW_ID, ...parameters],
    responses: { '200': { description: 'As asked for.', content }, ...REFUSALS },
  },
});

export const livePaths = () => ({
  '/api/v1/progress/{workflowId}': ofRun('How far a run is', json(component('Snapshot'))),
  '/api/v1/progress-events/{workflowId}': ofRun(
    'What has happened to a run since a position; waits for news',
    json({
      type: 'object',
      required: ['resume', 'events'],
      properties: { resume: {}, events: { type: 'array', items: {} } },
    }),
    [
      query('epoch', 'string', 'Of the position.'),
      query('after', 'integer', 'Sequence of the last event that was seen.'),
      query('wait', 'integer', 'Seconds to wait for news.'),
      query('limit', 'integer', 'Events at most.'),
    ],
  ),
  '/api/v1/progress-stream/{workflowId}': ofRun(
    'What happens to a run, as server-sent events; resumed by Last-Event-ID',
    { 'text/event-stream': { schema: { type: 'string' } } },
  ),
  '/api/v1/health': {
    get: {
      tags: ['gateway'],
      summary: 'Whether the gateway is there; needs no token',
      security: [],
      responses: {
        '200': {
          description: 'It is.',
          content: json({ type: 'object', required: ['ok'], properties: { ok: { type: 'boolean' } } }),
        },
      },
    },
  },
});
