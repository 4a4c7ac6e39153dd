/**
 * The worker of the story domain, and what its activities are made of.
 *
 * @module
 */
import { Worker, type WorkerOptions } from '@temporalio/worker';
import type { StoryDependencies } from '../activities/story/dependencies.ts';
import { createStoryActivities } from '../activities/story/index.ts';
import { createModelCheck } from '../activities/story/models.ts';
import type { AwsClients } from '../lib/aws-clients.ts';
import type { PriceBook } from '../lib/prices/price-book.ts';
import { createAppender } from '../lib/progress/appender.ts';
import type { ProgressWriter } from '../lib/progress/log.ts';
import type { Settings } from '../lib/settings.ts';
import { FamilyStore } from '../lib/store/families.ts';
import type { LedgerStore } from '../lib/store/ledger.ts';
import { StoryStore } from '../lib/store/stories.ts';
import type { Tables } from '../lib/store/tables.ts';
import { createStoryClients } from '../lib/story/clients.ts';
import { openOpenAi } from '../lib/story/openai.ts';
import { ACTIVITY_TASK_QUEUE } from '../workflows/story/model.ts';
import { heartbeats } from './heartbeats.ts';

interface Parts {
  aws: AwsClients;
  tables: Tables;
  settings: Settings;
  prices: PriceBook;
  ledger: LedgerStore;
  progress: ProgressWriter;
  warn(message: string): void;
}

/** Each waits for a service most of the time; the four branches of a story at once, of several families. */
const TOGETHER = 24;

/** @param shared what all workers of the process have in common */
export function storyWorker(shared: Omit<WorkerOptions, 'taskQueue'>, parts: Parts): Promise<Worker> {
  const dependencies = storyDependencies(parts);
  const models = createModelCheck(dependencies.openai, parts.settings);
  // Nobody waits for it: the activities ask as well, and other work needs no OpenAI.
  if (dependencies.openai)
    models().catch((error: Error) => parts.warn(`stories: the models could not be confirmed: ${error.message}`));
  return Worker.create({
    ...shared,
    taskQueue: ACTIVITY_TASK_QUEUE,
    interceptors: { activity: [heartbeats] },
    activities: createStoryActivities(dependencies, models),
    maxConcurrentActivityTaskExecutions: TOGETHER,
  });
}

function storyDependencies({ aws, tables, settings, prices, ledger, progress, warn }: Parts): StoryDependencies {
  const { polly, sns, events } = createStoryClients({ dynamodb: aws.dynamodb, tables, warn });
  return {
    stories: new StoryStore(aws.dynamodb, tables),
    families: new FamilyStore(aws.dynamodb, tables),
    s3: aws.s3,
    ...(settings.openaiKey && { openai: openOpenAi(settings.openaiKey) }),
    polly,
    sns,
    events,
    prices,
    ledger,
    settings,
    region: () => aws.s3.config.region(),
    appender: createAppender({ writer: progress, warn }),
  };
}
