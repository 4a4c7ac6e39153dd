/**
 * `/families/{family}/characters`, `/families/{family}/scenes`: the cast of a family.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify';
import { CARD_KINDS } from '../../../lib/store/families.ts';
import { LIMITS } from '../../../lib/story/names.ts';
import type { CardBody } from '../../live/stories.ts';
import { addCard, CARD_PATTERN, dropCard, listCards, setLooks } from '../../story/cards.ts';
import type { ApiDependencies } from './dependencies.ts';
import { actOn, family, requireFamily } from './families.ts';
import { principalOf } from './guard.ts';
import { answers, body, object, optional, ref, type Schema } from './schemas.ts';

type OfFamily = { Params: { family: string } };
type OfCard = { Params: { family: string; card: string } };

/** What does not fit is told by the checks of names themselves, which say why. */
const entered = (description: string, maxLength: number): Schema => ({ type: 'string', maxLength, description });
const entry = {
  name: entered('A few plain words.', 10_000),
  looks: entered(`How pictures show it: up to ${LIMITS.looksLength} characters.`, 10_000),
} as const;
const card: Schema = { type: 'string', pattern: CARD_PATTERN, description: 'What it is called by: `little-moon`.' };

export function familyCardRoutes(app: FastifyInstance, deps: ApiDependencies): void {
  for (const kind of CARD_KINDS) {
    const tags = ['families'];
    const path = `/families/:family/${kind}`;
    app.get<OfFamily>(
      path,
      {
        schema: {
          tags,
          summary: `The ${kind} of a family`,
          params: object({ family }),
          response: answers(ref('CardList')),
        },
      },
      async (request) => {
        requireFamily(principalOf(request), request.params.family);
        return { cards: await listCards(deps, kind, request.params.family) };
      },
    );
    app.post<OfFamily & { Body: CardBody }>(
      path,
      {
        schema: {
          tags,
          summary: `Adds to the ${kind} of a family. Needs the role operator`,
          params: object({ family }),
          body: body({ name: entry.name }, { looks: entry.looks }),
          response: answers(ref('CardView'), { also: [409] }),
        },
      },
      async (request) => {
        await actOn(deps, principalOf(request), request.params.family);
        return addCard(deps, kind, request.params.family, request.body, Date.now());
      },
    );
    app.post<OfCard & { Body: { looks: string } }>(
      `${path}/:card`,
      {
        schema: {
          tags,
          summary: 'How pictures show it; empty: as they like. Needs the role operator',
          params: object({ family, card }),
          body: body({ looks: entry.looks }),
          response: answers(ref('CardView')),
        },
      },
      async (request) => {
        await actOn(deps, principalOf(request), request.params.family);
        return setLooks(deps, kind, request.params.family, request.params.card, request.body.looks);
      },
    );
    app.post<OfCard>(
      `${path}/:card/remove`,
      {
        schema: {
          tags,
          summary: `Takes one of the ${kind} out of a family. Needs the role operator`,
          params: object({ family, card }),
          body: optional(body({})),
          response: answers(ref('CardView'), { also: [409] }),
        },
      },
      async (request) => {
        await actOn(deps, principalOf(request), request.params.family);
        return dropCard(deps, kind, request.params.family, request.params.card);
      },
    );
  }
}
