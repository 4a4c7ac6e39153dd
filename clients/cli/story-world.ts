/**
 * What the commands about stories share: their clients, and what is told of what cannot be done.
 *
 * @module
 */
import { InvalidNameError } from '../../lib/story/names.ts';
import { type StoryName, storyNameOf } from '../../workflows/story/model.ts';
import { StoryProblem } from '../story/problem.ts';
import type { StoryWorld } from '../story/world.ts';
import { CliError, type Context, EXIT, withContext } from './context.ts';

export interface Json {
  json?: boolean;
}

/** Of what is kept only: no Temporal server is needed. */
export type KeptWorld = Pick<StoryWorld, 'families' | 'stories' | 'settings'>;

export const withKept = (run: (world: KeptWorld, context: Context) => Promise<void>): Promise<void> =>
  withContext((context) => told(() => run(context, context)));

export const withStories = (run: (world: StoryWorld, context: Context) => Promise<void>): Promise<void> =>
  withContext((context) =>
    told(async () => {
      const { client } = await context.temporal();
      const { settings, families, stories, aws } = context;
      await run({ client, settings, families, stories, sns: aws.sns, polly: aws.polly }, context);
    }),
  );

/** @throws CliError */
async function told(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (error instanceof InvalidNameError) throw new CliError(error.message, EXIT.usage);
    if (!(error instanceof StoryProblem)) throw error;
    throw new CliError(`${error.message}: ${error.remedy}`, error.kind === 'input' ? EXIT.usage : EXIT.failed);
  }
}

/** `moon/2026-11-26`, also as the workflow id it is part of. @throws StoryProblem */
export function parseStoryId(text: string): StoryName {
  const name = storyNameOf(text);
  if (!name) throw new StoryProblem('input', 'this is no story', 'name family and night, such as moon/2026-11-26');
  return name;
}
