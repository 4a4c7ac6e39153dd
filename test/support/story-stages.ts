/**
 * The activities that write a text and draw a picture, over S3's stand-in, a server that speaks OpenAI's API and stories in
 * memory; and attempts of them, which can be cut off where it hurts.
 *
 * @module
 */
import { inspect } from 'node:util';
import { CreateBucketCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import type { Info } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import type OpenAI from 'openai';
import type { StoryDependencies } from '../../activities/story/dependencies.ts';
import { createImageActivities } from '../../activities/story/image.ts';
import { createTextActivities } from '../../activities/story/text.ts';
import type { StoryItem } from '../../lib/story/document.ts';
import type { Report } from '../../workflows/progress/model.ts';
import { begunStory, OneStory } from './one-story.ts';
import { type OpenAiServer, openOpenAiServer } from './openai-server.ts';
import { openStandIns, type StandIns } from './stand-ins.ts';

export const BUCKET = 'longhaul';
export const STORY_ID = 'moon/2026-11-01';
const NOW = Date.parse('2026-11-01T19:15:00Z');

export interface Stages {
  stories: OneStory;
  openai: OpenAiServer;
  standIns: StandIns;
  /** What watchers were told. */
  reports: Report[];
  dependencies: StoryDependencies;
  /** One attempt of whatever. */
  attempt<T>(run: () => Promise<T>): Promise<T>;
  /** One attempt, by a worker that has just begun. */
  run: {
    checkPrompt(): Promise<void>;
    writeText(draft?: 1 | 2, problem?: 'TOO_SHORT' | 'REFUSED'): Promise<unknown>;
    drawPicture(): Promise<unknown>;
  };
  /** That of the latest attempt: to be cancelled, or watched. */
  readonly environment: MockActivityEnvironment;
  /** All that has been logged, as text. */
  logged(): string;
  objects(): Promise<string[]>;
  /** Anew: nothing kept, no call made. */
  begin(change?: Partial<StoryItem>): Promise<void>;
  close(): Promise<void>;
}

export const DRAW: StoryItem['draw'] = {
  characters: [{ name: 'Parker', looks: 'a small red fox with a scarf' }, { name: 'Jackson' }],
  scene: { name: 'haunted woods' },
};

/** @param client another than that of the server that misbehaves */
export async function openStages(client?: OpenAI): Promise<Stages> {
  const [standIns, openai] = await Promise.all([openStandIns(), openOpenAiServer()]);
  await standIns.s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  let nth = 0;
  const logs: string[] = [];
  const logger = new DefaultLogger('TRACE', (entry) => void logs.push(inspect(entry, { depth: 10 })));
  const environmentOf = (info: Partial<Info> = {}) => new MockActivityEnvironment(info, { logger });
  let environment = environmentOf();
  const reports: Report[] = [];
  const dependencies = {
    s3: standIns.s3,
    openai: client ?? openai.client,
    settings: {
      bucket: BUCKET,
      storyTextModel: 'gpt-5-mini',
      storyImageModel: 'gpt-image-2',
      storyModerationModel: 'omni-moderation-latest',
      storyImageSize: '1024x1024',
      storyImageQuality: 'medium',
    },
    appender: { report: (_run: string, _facts: object, report: Report) => void reports.push(report) },
    now: () => NOW,
  } as unknown as StoryDependencies;
  const attempt = <T>(run: () => Promise<T>): Promise<T> => {
    environment = environmentOf({
      workflowExecution: { workflowId: `story/${stages.stories.item?.story_id}`, runId: 'run-1' },
    });
    return environment.run(run) as Promise<T>;
  };
  const storyId = () => stages.stories.kept.story_id;
  const stages: Stages = {
    stories: new OneStory(begunStory(STORY_ID, NOW)),
    openai,
    standIns,
    reports,
    dependencies,
    attempt,
    run: {
      checkPrompt: () => attempt(() => createTextActivities(dependencies).checkPrompt({ storyId: storyId() })),
      writeText: (draft = 1, problem) =>
        attempt(() =>
          createTextActivities(dependencies).writeText({ storyId: storyId(), draft, ...(problem && { problem }) }),
        ),
      drawPicture: () => attempt(() => createImageActivities(dependencies).drawPicture({ storyId: storyId() })),
    },
    get environment() {
      return environment;
    },
    logged: () => logs.join('\n'),
    async objects() {
      const listed = await standIns.s3.send(
        new ListObjectsV2Command({ Bucket: BUCKET, Prefix: `stories/${storyId()}/` }),
      );
      return (listed.Contents ?? []).map(({ Key = '' }) => Key.slice(`stories/${storyId()}/`.length));
    },
    async begin(change = {}) {
      nth += 1;
      const id = `moon/2026-11-${String(nth % 30).padStart(2, '0')}x${nth}`;
      stages.stories = new OneStory(begunStory(id, NOW, { draw: DRAW, ...change }));
      dependencies.stories = stages.stories as unknown as StoryDependencies['stories'];
      reports.length = 0;
      logs.length = 0;
      openai.reset();
      standIns.kit.faults.set([]);
    },
    async close() {
      await openai.close();
      await standIns.close();
    },
  };
  await stages.begin();
  return stages;
}
