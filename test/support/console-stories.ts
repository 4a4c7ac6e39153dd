/**
 * Families, casts and books for the console under test: answered from memory, with what was asked for kept.
 *
 * @module
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { BookRow, CardView, FamilyView, Subscription } from '../../clients/live/stories.ts';
import { DEFAULTS } from '../../clients/story/settings.ts';
import { masked } from '../../clients/story/topic.ts';
import { cardIdOf } from '../../lib/story/names.ts';

export interface ConsoleStories {
  families: FamilyView[];
  cards: Record<'characters' | 'scenes', CardView[]>;
  book: BookRow[];
  subscriptions: Subscription[];
  /** Of adding and setting. */
  warnings: string[];
  /** What a link leads to. */
  url: string;
}

export const emptyStories = (): ConsoleStories => ({
  families: [],
  cards: { characters: [], scenes: [] },
  book: [],
  subscriptions: [],
  warnings: [],
  url: '',
});

interface Known {
  stories: ConsoleStories;
  asked: { path: string; body: unknown }[];
  refuse: { status: number; message: string; remedy: string } | undefined;
}

type Change = (
  run: (request: FastifyRequest<{ Params: Record<string, string>; Body: Record<string, string> }>) => unknown,
) => (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

export function storyRoutes(api: FastifyInstance, known: Known): void {
  const { stories } = known;
  const change: Change = (run) => async (request: FastifyRequest, reply: FastifyReply) => {
    known.asked.push({ path: request.url.replace('/api/v1', ''), body: request.body });
    if (!known.refuse) return run(request as never);
    const { status, ...error } = known.refuse;
    return reply.code(status).send({ error: { code: 'conflict', ...error } });
  };
  const switched = (state: 'active' | 'paused') =>
    change(({ params }) => {
      const family = stories.families.find((one) => one.family === params['family']);
      if (family) family.schedule = { ...family.schedule, state };
      return family?.schedule;
    });
  api.get('/families', () => ({ families: stories.families }));
  familyRoutes(api, stories, change);
  api.post('/families/:family/pause', switched('paused'));
  api.post('/families/:family/resume', switched('active'));
  api.get<{ Querystring: { before?: string } }>('/stories', ({ query }) =>
    query.before === undefined ? { stories: stories.book, next: 'older' } : { stories: [] },
  );
  api.post(
    '/stories',
    change(({ body }) => ({ workflowId: `story/${body['family']}/1`, status: 'WRITING', outcome: 'started' })),
  );
  api.post(
    '/stories/:family/:night/link',
    change(() => ({ url: stories.url, expiresAt: new Date().toISOString() })),
  );
  api.post(
    '/stories/:family/:night/cancel',
    change(({ params }) => ({ workflowId: `story/${params['family']}/${params['night']}`, status: 'READY' })),
  );
  for (const kind of ['characters', 'scenes'] as const) {
    const path = `/families/:family/${kind}`;
    api.get(path, () => ({ cards: stories.cards[kind] }));
    api.post(
      path,
      change(({ body: { name = '', looks = '' } }) => {
        stories.cards[kind].push({ card: cardIdOf(name), name, looks });
        return stories.cards[kind].at(-1);
      }),
    );
    api.post(
      `${path}/:card`,
      change(({ params, body }) =>
        Object.assign(stories.cards[kind].find(({ card }) => card === params['card']) ?? {}, body),
      ),
    );
    api.post(
      `${path}/:card/remove`,
      change(({ params }) => {
        stories.cards[kind] = stories.cards[kind].filter(({ card }) => card !== params['card']);
        return {};
      }),
    );
  }
}

function familyRoutes(api: FastifyInstance, stories: ConsoleStories, change: Change): void {
  const named = (name: string | undefined) => stories.families.find(({ family }) => family === name);
  const changed = (family: FamilyView | undefined) => ({ ...family, warnings: stories.warnings });
  api.post(
    '/families',
    change(({ body }) => {
      const schedule = { state: 'active', next: ['2027-01-01T18:15:00.000Z'] } as const;
      const added = { ...DEFAULTS, voice: 'Amy', createdAt: '2026-11-26T00:00:00.000Z', schedule, ...body };
      stories.families.push(added as unknown as FamilyView);
      return changed(stories.families.at(-1));
    }),
  );
  api.get<{ Params: { family: string } }>('/families/:family', ({ params }) => ({
    ...named(params.family),
    characters: stories.cards.characters.length,
    scenes: stories.cards.scenes.length,
    month: { month: '2026-11', committedUsd: '1.23' },
  }));
  api.post(
    '/families/:family',
    change(({ params, body }) => {
      const place = stories.families.findIndex(({ family }) => family === params['family']);
      const before = stories.families[place];
      if (before) stories.families[place] = { ...before, ...body };
      return changed(stories.families[place]);
    }),
  );
  api.post(
    '/families/:family/remove',
    change(({ params }) => {
      stories.families = stories.families.filter(({ family }) => family !== params['family']);
      return { family: params['family'], removed: true };
    }),
  );
  api.get('/families/:family/subscriptions', () => ({ subscriptions: stories.subscriptions }));
  api.post(
    '/families/:family/subscriptions',
    change(({ params, body }) => {
      stories.subscriptions.push({ address: masked(body['address'] ?? ''), confirmed: false });
      return { family: params['family'], subscribed: 'pending' };
    }),
  );
}
