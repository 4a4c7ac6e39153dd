/**
 * How far a story is, from its workflow while that runs, from what is kept of it afterwards.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { isEnded, PROGRESS_QUERY, type StoryProgress, storyIdOf, workflowIdOf } from '../../workflows/story/model.ts';
import { PENDING } from '../../workflows/story/plan.ts';
import { StoryProblem } from './problem.ts';
import { failureOf } from './refused.ts';
import type { StoryWorld } from './world.ts';

/** How often it is asked while somebody watches. */
const LOOK_EVERY_MS = 500;
/** A worker that does not answer must not stop the picture. */
const QUERY_TIMEOUT_MS = 2_000;
/** Until a story that was just started has to show. */
const PATIENCE_MS = 20_000;

/** What a picture shows, and why it failed. */
export interface Followed extends StoryProgress {
  /** Epoch ms. */
  begun: number;
  error?: { type: string; message: string };
}

type Sources = Pick<StoryWorld, 'client' | 'stories'>;

interface Which {
  family: string;
  night: string;
  /** Epoch ms: an end from before it is of an earlier attempt. */
  since?: number;
}

async function look({ client, stories }: Sources, { family, night, since = 0 }: Which): Promise<Followed | undefined> {
  const storyId = storyIdOf(family, night);
  const handle = client.workflow.getHandle(workflowIdOf(storyId));
  const asked = await client.connection
    .withDeadline(Date.now() + QUERY_TIMEOUT_MS, () => handle.query<StoryProgress>(PROGRESS_QUERY))
    .catch(() => undefined);
  const record = await stories.record(family, night);
  const old = record?.ended_at !== undefined && Date.parse(record.ended_at) < since;
  const kept = old ? undefined : record;
  if (!kept && !asked) return undefined;
  const { status = 'WRITING', words, parts = PENDING, created_at } = kept ?? {};
  // What was refused before it was begun has no record: its workflow says why.
  const refused = !kept && asked && isEnded(asked.status);
  const error = kept?.error ?? (refused ? await failureOf(handle) : undefined);
  return {
    ...(asked ?? { storyId, status, parts, ...(words !== undefined && { words }) }),
    begun: created_at === undefined ? Date.now() : Date.parse(created_at),
    ...(error && { error }),
  };
}

/** Pictures of a story, the last when it has ended. @throws StoryProblem when it does not show */
export async function* followStory(sources: Sources, which: Which): AsyncGenerator<Followed> {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const picture = await look(sources, which);
    if (picture) yield picture;
    else if (Date.now() > until)
      throw new StoryProblem('unknown', `story ${which.family}/${which.night} does not show`, 'see that workers run');
    if (picture && isEnded(picture.status)) return;
    await delay(LOOK_EVERY_MS);
  }
}
