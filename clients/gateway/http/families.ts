/**
 * `/families`: who gets a story every night. A family is a consumer: it is seen by those whose token names it.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify';
import { SPEECH_ENGINES } from '../../../lib/story/document.ts';
import { FAMILY_PATTERN } from '../../../workflows/story/model.ts';
import type { FamilySettings, Subscription } from '../../live/stories.ts';
import {
  addFamily,
  backfillFamily,
  familySchedule,
  listFamilies,
  pauseFamily,
  removeFamily,
  resumeFamily,
  setFamily,
  showFamily,
  subscribeTo,
  subscriptionsOf,
} from '../../story/families.ts';
import { AT_PATTERN, BOUNDS, USD_PATTERN } from '../../story/settings.ts';
import type { StoryWorld } from '../../story/world.ts';
import { maySee, type Principal } from '../principal.ts';
import type { ApiDependencies } from './dependencies.ts';
import { ApiProblem } from './errors.ts';
import { principalOf, requireRole } from './guard.ts';
import { answers, body, name, object, oneOf, optional, ref, type Schema, whole } from './schemas.ts';

export const family: Schema = { type: 'string', pattern: FAMILY_PATTERN.source, description: 'Name of the family.' };
const params = object({ family });
export const localDate: Schema = {
  type: 'string',
  pattern: '^\\d{4}-\\d{2}-\\d{2}$',
  description: 'Local date there.',
};
const usd = (description: string): Schema => ({ type: 'string', pattern: USD_PATTERN.source, description });
const settings: Readonly<Record<string, Schema>> = {
  timeZone: name('IANA name, such as `Europe/Berlin`.', 64),
  at: { type: 'string', pattern: AT_PATTERN.source, description: 'Local time of day, `19:15`.' },
  language: name('BCP 47, such as `en-GB`: of text and voice.', 64),
  voice: name('Of Polly; by the language where it is left out.', 40),
  engine: oneOf(SPEECH_ENGINES, 'Of the voice.'),
  minWords: whole(BOUNDS.minWords.least, BOUNDS.minWords.most, 'The story is at least so long.'),
  waitForAll: { type: 'boolean', description: 'The mail waits for picture and voice.' },
  storyLimitUsd: usd('What one story may cost, USD.'),
  monthLimitUsd: usd('What all stories of a month may cost, USD.'),
  catchupMinutes: whole(BOUNDS.catchupMinutes.least, BOUNDS.catchupMinutes.most, 'So late a night is made up for.'),
};

export const worldOf = ({ aws, ...rest }: ApiDependencies): StoryWorld => ({ ...rest, sns: aws.sns, polly: aws.polly });

/** One of others is as if it were not there. @throws ApiProblem 404 */
export function requireFamily(principal: Principal, family: string): void {
  if (!maySee(principal, { consumer: family })) throw noFamily(family);
}

const noFamily = (family: string): ApiProblem =>
  new ApiProblem('not-found', `there is no family ${family}`, 'list the families, or add it first');

/** Who may see it, and who may change it: of every route that names a family. @throws ApiProblem 403, 404 */
export async function actOn(deps: ApiDependencies, principal: Principal, family: string): Promise<void> {
  requireFamily(principal, family);
  if (!(await deps.families.get(family))) throw noFamily(family);
  requireRole(principal, 'operator');
}

type OfFamily = { Params: { family: string } };

export function familyRoutes(app: FastifyInstance, deps: ApiDependencies): void {
  const tags = ['families'];
  const world = worldOf(deps);
  app.get(
    '/families',
    { schema: { tags, summary: 'Families, with their next nights', response: answers(ref('FamilyList')) } },
    async (request) => {
      const principal = principalOf(request);
      return { families: await listFamilies(world, Date.now(), (one) => maySee(principal, { consumer: one })) };
    },
  );
  app.post<{ Body: Partial<FamilySettings> & { family: string; timeZone: string } }>(
    '/families',
    {
      schema: {
        tags,
        summary: 'Adds a family, with a cast to begin with. Needs the role operator, of all consumers',
        body: body({ family, timeZone: settings.timeZone ?? {} }, settings),
        response: answers(ref('FamilyChanged'), { also: [409] }),
      },
    },
    async (request) => {
      const principal = principalOf(request);
      requireRole(principal, 'operator');
      if (principal.consumers !== '*')
        throw new ApiProblem(
          'forbidden',
          'a family is a new consumer, and yours are named',
          'ask for a token for all consumers',
        );
      const { family: added, ...given } = request.body;
      return addFamily(world, added, given, Date.now());
    },
  );
  app.get<OfFamily>(
    '/families/:family',
    {
      schema: {
        tags,
        summary: 'A family: settings, next nights, month',
        params,
        response: answers(ref('FamilyDetail')),
      },
    },
    async (request) => {
      requireFamily(principalOf(request), request.params.family);
      return showFamily(world, request.params.family, Date.now());
    },
  );
  app.post<OfFamily & { Body: Partial<FamilySettings> }>(
    '/families/:family',
    {
      schema: {
        tags,
        summary: 'Changes what is named, and makes what is missing of it. Needs the role operator',
        params,
        body: optional(body({}, settings)),
        response: answers(ref('FamilyChanged'), { also: [409] }),
      },
    },
    async (request) => {
      await actOn(deps, principalOf(request), request.params.family);
      return setFamily(world, request.params.family, request.body ?? {}, Date.now());
    },
  );
  app.post<OfFamily>(
    '/families/:family/remove',
    {
      schema: {
        tags,
        summary: 'Takes schedule, cast and subscriptions away; stories stay until they expire. Needs the role operator',
        params,
        body: optional(body({})),
        response: answers(ref('FamilyRemoved')),
      },
    },
    async (request) => {
      await actOn(deps, principalOf(request), request.params.family);
      await removeFamily(world, request.params.family);
      return { family: request.params.family, removed: true };
    },
  );
  scheduleRoutes(app, deps);
  subscriptionRoutes(app, deps);
}

function scheduleRoutes(app: FastifyInstance, deps: ApiDependencies): void {
  const tags = ['families'];
  const world = worldOf(deps);
  app.get<OfFamily>(
    '/families/:family/schedule',
    { schema: { tags, summary: 'The next nights', params, response: answers(ref('ScheduleView')) } },
    async (request) => {
      requireFamily(principalOf(request), request.params.family);
      return (await familySchedule(world, request.params.family, Date.now())).schedule;
    },
  );
  app.post<OfFamily & { Body: { until?: string } | undefined }>(
    '/families/:family/pause',
    {
      schema: {
        tags,
        summary: 'No stories until it is resumed, or before the night that is named. Needs the role operator',
        params,
        body: optional(body({}, { until: { ...localDate, description: 'The first night again, a local date.' } })),
        response: answers(ref('ScheduleView'), { also: [409] }),
      },
    },
    async (request) => {
      await actOn(deps, principalOf(request), request.params.family);
      return pauseFamily(world, request.params.family, request.body?.until, Date.now());
    },
  );
  app.post<OfFamily>(
    '/families/:family/resume',
    {
      schema: {
        tags,
        summary: 'Stories every night again. Needs the role operator',
        params,
        body: optional(body({})),
        response: answers(ref('ScheduleView')),
      },
    },
    async (request) => {
      await actOn(deps, principalOf(request), request.params.family);
      return resumeFamily(world, request.params.family, Date.now());
    },
  );
  app.post<OfFamily & { Body: { from: string; to: string } }>(
    '/families/:family/backfill',
    {
      schema: {
        tags,
        summary: 'Makes up for nights without a story; those that have one keep it. Needs the role operator',
        params,
        body: body({ from: localDate, to: localDate }),
        response: answers(ref('Backfilled'), { also: [409] }),
      },
    },
    async (request) => {
      await actOn(deps, principalOf(request), request.params.family);
      const { family } = request.params;
      return { family, ...(await backfillFamily(world, family, request.body, Date.now())) };
    },
  );
}

function subscriptionRoutes(app: FastifyInstance, deps: ApiDependencies): void {
  const tags = ['families'];
  const world = worldOf(deps);
  app.get<OfFamily>(
    '/families/:family/subscriptions',
    { schema: { tags, summary: 'Who gets the mail, masked', params, response: answers(ref('SubscriptionList')) } },
    async (request): Promise<{ subscriptions: Subscription[] }> => {
      requireFamily(principalOf(request), request.params.family);
      return { subscriptions: await subscriptionsOf(world, request.params.family) };
    },
  );
  app.post<OfFamily & { Body: { address: string } }>(
    '/families/:family/subscriptions',
    {
      schema: {
        tags,
        summary: 'SNS asks somebody whether they want the mail of every night. Needs the role operator',
        params,
        body: body({ address: name('E-mail address; kept by SNS alone.', 254) }),
        response: answers(ref('Subscribed')),
      },
    },
    async (request) => {
      await actOn(deps, principalOf(request), request.params.family);
      await subscribeTo(world, request.params.family, request.body.address);
      return { family: request.params.family, subscribed: 'pending' };
    },
  );
}
