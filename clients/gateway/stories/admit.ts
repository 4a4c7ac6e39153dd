/**
 * Who may read a story: the one place that decides it. A link is enough; without one, whoever may see the runs of its family.
 *
 * @module
 */
import type { FastifyRequest } from 'fastify';
import { checkLink, TOKEN_PARAMETER } from '../../../lib/story/link.ts';
import { FAMILY_PATTERN, NIGHT_PATTERN, storyIdOf } from '../../../workflows/story/model.ts';
import { bearerOf, LOCAL } from '../auth/authenticate.ts';
import { AuthError, type Tokens } from '../auth/tokens.ts';
import { maySee, type Principal } from '../principal.ts';

export interface StoryParams {
  family: string;
  night: string;
}

/**
 * `link`: its token opens this story and the book of its family. `user`: sees all stories of the family. `expired`: the
 * token was good once. `refused`: nothing is to be told, not even whether there is such a story.
 */
export type Admission = 'link' | 'user' | 'expired' | 'refused';

export interface AdmitDeps {
  /** The setting storyLinkKey; empty: no link opens anything. */
  linkKey: string;
  open: boolean;
  tokens?: Tokens | undefined;
  now(): number;
}

export type StoryRequest = FastifyRequest<{ Params: StoryParams; Querystring: Record<string, unknown> }>;

/** Longer than any of ours. */
const TOKEN_CHARACTERS = 1_024;

/** A link that is given decides alone, right or wrong. */
export async function admit(request: StoryRequest, deps: AdmitDeps): Promise<Admission> {
  const { family, night } = request.params;
  if (!FAMILY_PATTERN.test(family) || !NIGHT_PATTERN.test(night)) return 'refused';
  const token = request.query[TOKEN_PARAMETER];
  if (token !== undefined) {
    if (deps.linkKey === '' || typeof token !== 'string' || token.length > TOKEN_CHARACTERS) return 'refused';
    const verdict = await checkLink(deps.linkKey, storyIdOf(family, night), token, deps.now());
    return verdict === 'valid' ? 'link' : verdict === 'expired' ? 'expired' : 'refused';
  }
  const principal = deps.open ? LOCAL : await bearer(request, deps.tokens);
  return principal && maySee(principal, { consumer: family }) ? 'user' : 'refused';
}

async function bearer(request: StoryRequest, tokens: Tokens | undefined): Promise<Principal | undefined> {
  const token = bearerOf(request);
  if (token === undefined || !tokens) return undefined;
  try {
    return await tokens.verify(token);
  } catch (error) {
    if (error instanceof AuthError) return undefined;
    throw error;
  }
}
