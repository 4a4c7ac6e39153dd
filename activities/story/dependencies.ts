/**
 * What the story activities need from outside; the worker puts it together, tests may put in others.
 *
 * @module
 */
import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { PollyClient } from '@aws-sdk/client-polly';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SNSClient } from '@aws-sdk/client-sns';
import type OpenAI from 'openai';
import type { PriceBook } from '../../lib/prices/price-book.ts';
import type { Appender } from '../../lib/progress/appender.ts';
import type { Settings } from '../../lib/settings.ts';
import type { FamilyStore } from '../../lib/store/families.ts';
import type { LedgerStore } from '../../lib/store/ledger.ts';
import type { StoryStore } from '../../lib/store/stories.ts';

export interface StoryDependencies {
  stories: StoryStore;
  families: Pick<FamilyStore, 'get' | 'cards'>;
  s3: S3Client;
  /** Absent without an OPENAI_API_KEY: stories are refused then. */
  openai?: OpenAI;
  polly: PollyClient;
  sns: SNSClient;
  events: EventBridgeClient;
  prices: PriceBook;
  ledger: Pick<LedgerStore, 'replace'>;
  settings: Pick<
    Settings,
    | 'bucket'
    | 'storyTextModel'
    | 'storyImageModel'
    | 'storyModerationModel'
    | 'storyImageSize'
    | 'storyImageQuality'
    | 'storyLinkKey'
    | 'storyUrl'
    | 'storyBus'
  >;
  /** Of the Region this works in. */
  region(): Promise<string>;
  /** Tells watchers what an activity does meanwhile: `progressOf` of activities/progress/source.ts. */
  appender?: Pick<Appender, 'report'>;
  /** Epoch ms. */
  now?(): number;
}
