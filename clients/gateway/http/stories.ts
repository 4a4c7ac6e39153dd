/**
 * `/stories`: one more now, the book of past ones, how each went, and the link that opens one. The text itself is on the page
 * of the link.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify';
import { NIGHT_PATTERN, storyIdOf, workflowIdOf } from '../../../workflows/story/model.ts';
import type { Started } from '../../live/api.ts';
import { cancelStory } from '../../story/cancel.ts';
import { unrecordedStory } from '../../story/refused.ts';
import { startStory } from '../../story/start.ts';
import { bookOf, linkTo, storyDetail } from '../../story/view.ts';
import { CANCELS, ended } from './cancels.ts';
import type { ApiDependencies } from './dependencies.ts';
import { ApiProblem } from './errors.ts';
import { actOn, family, requireFamily, worldOf } from './families.ts';
import { principalOf, requireRole } from './guard.ts';
import { PAGE } from './runs.ts';
import { answers, body, object, optional, ref, type Schema, whole } from './schemas.ts';

const night: Schema = {
  type: 'string',
  pattern: NIGHT_PATTERN.source,
  description: 'Local date; of a story that was asked for by hand a UUID.',
};
const params = object({ family, night });
type OfStory = { Params: { family: string; night: string } };

export function storyRoutes(app: FastifyInstance, deps: ApiDependencies): void {
  const tags = ['stories'];
  const world = worldOf(deps);
  app.get<{ Querystring: { family: string; limit: number; before?: string } }>(
    '/stories',
    {
      schema: {
        tags,
        summary: 'The book of a family: its stories, the newest first; also of one that was removed',
        querystring: body(
          { family },
          {
            limit: whole(1, PAGE.most, 'Stories to a page.', { default: PAGE.usual }),
            before: { type: 'string', pattern: '^[0-9TZ:.-]{20,30}$', description: '`next` of a page.' },
          },
        ),
        response: answers(ref('Book')),
      },
    },
    (request) => {
      const { family: of, ...page } = request.query;
      requireFamily(principalOf(request), of);
      return bookOf(world, of, page, Date.now());
    },
  );
  app.post<{ Body: { family: string; night?: string } }>(
    '/stories',
    {
      schema: {
        tags,
        summary:
          'One more story now; with `night` that of a night, where it has none or failed. Needs the role operator',
        body: body({ family }, { night }),
        response: answers(ref('Started'), { also: [409] }),
      },
    },
    async (request): Promise<Started> => {
      const { family: of, night: asked } = request.body;
      await actOn(deps, principalOf(request), of);
      const { storyId, workflowId, status, outcome } = await startStory(world, of, asked, Date.now());
      return { workflowId, id: storyId, status, outcome: outcome === 'started' ? 'started' : 'existing' };
    },
  );
  app.get<OfStory>(
    '/stories/:family/:night',
    {
      schema: {
        tags,
        summary: 'A story: parts, verdicts of moderation, what was paid for; never its text',
        params,
        response: answers(ref('StoryDetail')),
      },
    },
    async (request) => {
      const { family: of, night: asked } = request.params;
      requireFamily(principalOf(request), of);
      const kept = await storyDetail(world, of, asked, Date.now());
      const story = kept ?? (await unrecordedStory(world, of, asked));
      if (!story) throw noStory(of, asked);
      return story;
    },
  );
  app.post<OfStory>(
    '/stories/:family/:night/link',
    {
      schema: {
        tags,
        summary: 'A link that opens the story for whoever has it, until it goes. Needs the role operator',
        params,
        body: optional(body({})),
        response: answers(ref('StoryLink'), { also: [409] }),
      },
    },
    async (request) => {
      const { family: of, night: asked } = request.params;
      const principal = principalOf(request);
      requireFamily(principal, of);
      requireRole(principal, 'operator');
      return linkTo(world, of, asked, Date.now());
    },
  );
  app.post<OfStory>(
    '/stories/:family/:night/cancel',
    {
      schema: {
        tags,
        summary: 'Asks a story to end; what is there of it stays until it goes. Needs the role operator',
        params,
        ...CANCELS,
      },
    },
    async (request) => {
      const { family: of, night: asked } = request.params;
      const principal = principalOf(request);
      requireFamily(principal, of);
      requireRole(principal, 'operator');
      const answer = await cancelStory(world, request.params, Date.now());
      return ended(workflowIdOf(storyIdOf(of, asked)), answer, 'GET /api/v1/stories/{family}/{night}');
    },
  );
}

const noStory = (family: string, night: string): ApiProblem =>
  new ApiProblem('not-found', `there is no story ${family}/${night}`, 'list the stories of the family');
