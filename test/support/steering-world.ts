/**
 * What steering stories works with, in memory: tables, SNS, Polly and schedules, as far as they are asked. What SNS and Polly
 * are really like is in test/contract.
 *
 * @module
 */
import {
  ScheduleAlreadyRunning,
  type ScheduleDescription,
  ScheduleNotFoundError,
  type ScheduleOptions,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import type { StoryWorld } from '../../clients/story/world.ts';
import type { CardKind } from '../../lib/store/families.ts';
import type { Card, Family, StoryItem, StoryRecord } from '../../lib/story/document.ts';

interface Call {
  /** Name of the command, without `Command`. */
  name: string;
  input: Record<string, unknown>;
}

export interface MemoryWorld extends StoryWorld {
  kept: {
    families: Map<string, Family>;
    cards: Record<CardKind, Map<string, Card>>;
    items: Map<string, StoryItem>;
    records: StoryRecord[];
    schedules: Map<string, ScheduleOptions>;
    /** Workflow ids that are open, and what they were started with. */
    workflows: Map<string, Record<string, unknown>>;
    backfills: { start: Date; end: Date; overlap?: string }[];
    topics: Map<string, string[]>;
  };
  /** To AWS, in order. */
  calls: Call[];
  /** Throws in its place, once. */
  fail: Map<string, Error>;
}

const VOICES = [
  { Id: 'Amy', LanguageCode: 'en-GB', LanguageName: 'British English', SupportedEngines: ['neural', 'standard'] },
  { Id: 'Vicki', LanguageCode: 'de-DE', LanguageName: 'German', SupportedEngines: ['neural', 'standard'] },
  // Polly's tag of Welsh English is none of BCP 47.
  { Id: 'Geraint', LanguageCode: 'en-GB-WLS', LanguageName: 'Welsh English', SupportedEngines: ['standard'] },
  { Id: 'Zhiyu', LanguageCode: 'cmn-CN', LanguageName: 'Chinese Mandarin', SupportedEngines: ['neural'] },
  { Id: 'Ruth', LanguageCode: 'en-US', LanguageName: 'US English', SupportedEngines: ['long-form', 'generative'] },
];

export function memoryWorld(settings: Partial<StoryWorld['settings']> = {}): MemoryWorld {
  const kept: MemoryWorld['kept'] = {
    families: new Map(),
    cards: { characters: new Map(), scenes: new Map() },
    items: new Map(),
    records: [],
    schedules: new Map(),
    workflows: new Map(),
    backfills: [],
    topics: new Map(),
  };
  const calls: Call[] = [];
  const fail = new Map<string, Error>();
  const may = (name: string): void => {
    const error = fail.get(name);
    fail.delete(name);
    if (error) throw error;
  };
  const world = {
    kept,
    calls,
    fail,
    settings: {
      tablePrefix: '',
      storyLinkKey: 'x'.repeat(32),
      storyUrl: 'https://stories.example',
      temporalUi: 'http://127.0.0.1:8233',
      temporalNamespace: 'default',
      ...settings,
    },
    families: familiesOf(kept, may),
    stories: storiesOf(kept),
    sns: senderOf(calls, may, kept),
    polly: senderOf(calls, may, kept),
    client: { schedule: schedulesOf(kept, may), workflow: workflowsOf(kept) },
  };
  return world as unknown as MemoryWorld;
}

function familiesOf({ families, cards }: MemoryWorld['kept'], may: (name: string) => void) {
  const keyOf = (family: string, card: string) => `${family}/${card}`;
  return {
    get: async (family: string) => families.get(family),
    list: async () => [...families.values()],
    async put(family: Family, { replace = true } = {}) {
      may('put');
      if (!replace && families.has(family.family)) return false;
      families.set(family.family, family);
      return true;
    },
    remove: async (family: string) => void families.delete(family),
    cards: async (kind: CardKind, family: string) => [...cards[kind].values()].filter((card) => card.family === family),
    async putCard(kind: CardKind, card: Card, { replace = false } = {}) {
      const key = keyOf(card.family, card.card);
      if (!replace && cards[kind].has(key)) return false;
      cards[kind].set(key, card);
      return true;
    },
    removeCard: async (kind: CardKind, family: string, card: string) => cards[kind].delete(keyOf(family, card)),
  };
}

const storiesOf = ({ items, records }: MemoryWorld['kept']) => ({
  get: async (id: string) => items.get(id),
  record: async (family: string, night: string) =>
    records.find((record) => record.family === family && record.night === night),
  committed: async () => 1_230_000,
  book: async (family: string, { limit, before = '~' }: { limit: number; before?: string }) => {
    const all = records
      .filter((record) => record.family === family && record.created_at < before)
      .toSorted((a, b) => (a.created_at < b.created_at ? 1 : -1));
    const page = all.slice(0, limit);
    return { records: page, ...(all.length > limit && { before: page.at(-1)?.created_at }) };
  },
});

function senderOf(calls: Call[], may: (name: string) => void, { topics }: MemoryWorld['kept']) {
  return {
    async send(command: { constructor: { name: string }; input: Record<string, unknown> }) {
      const name = command.constructor.name.replace('Command', '');
      const { input } = command;
      calls.push({ name, input });
      may(name);
      const arn = String(input['TopicArn'] ?? `arn:aws:sns:eu-central-1:123456789012:${String(input['Name'])}`);
      switch (name) {
        case 'CreateTopic':
          if (!topics.has(arn)) topics.set(arn, []);
          return { TopicArn: arn };
        case 'DeleteTopic':
          topics.delete(arn);
          return {};
        case 'Subscribe':
          topics.get(arn)?.push(String(input['Endpoint']));
          return { SubscriptionArn: 'pending confirmation' };
        case 'ListSubscriptionsByTopic':
          return {
            Subscriptions: (topics.get(arn) ?? []).map((Endpoint, nth) => ({
              Endpoint,
              SubscriptionArn: ['PendingConfirmation', 'arn:aws:sns:x', 'Deleted'][nth % 3],
            })),
          };
        case 'DescribeVoices':
          // Two pages.
          return input['NextToken'] === undefined
            ? { Voices: VOICES.slice(0, 2), NextToken: 'more' }
            : { Voices: VOICES.slice(2) };
        default:
          throw new Error(`nobody has thought of ${name}`);
      }
    },
  };
}

/** As Temporal's: what is described is what was put, with the defaults of what was left out. */
function schedulesOf({ schedules, backfills }: MemoryWorld['kept'], may: (name: string) => void) {
  const known = (id: string): ScheduleOptions => {
    const schedule = schedules.get(id);
    if (!schedule) throw new ScheduleNotFoundError('no such schedule', id);
    return schedule;
  };
  return {
    async create(options: ScheduleOptions) {
      may('createSchedule');
      if (schedules.has(options.scheduleId)) throw new ScheduleAlreadyRunning('there is one', options.scheduleId);
      schedules.set(options.scheduleId, options);
    },
    getHandle: (id: string) => ({
      async describe() {
        const { state, spec } = known(id);
        const next = spec.startAt ?? new Date('2026-11-27T18:15:00.000Z');
        return {
          state: { paused: false, ...state },
          spec,
          info: { nextActionTimes: [next] },
        } as unknown as ScheduleDescription;
      },
      async update(change: (before: ScheduleDescription) => Omit<ScheduleOptions, 'scheduleId'>) {
        may('updateSchedule');
        const { state, spec } = known(id);
        const before = { state: { paused: false, ...state }, spec } as unknown as ScheduleDescription;
        schedules.set(id, { ...known(id), ...change(before) });
      },
      async delete() {
        known(id);
        schedules.delete(id);
      },
      async backfill(range: { start: Date; end: Date }) {
        known(id);
        backfills.push(range);
      },
    }),
  };
}

const workflowsOf = ({ workflows }: MemoryWorld['kept']) => ({
  async start(type: string, options: { workflowId: string }) {
    if (workflows.has(options.workflowId))
      throw new WorkflowExecutionAlreadyStartedError('it runs', options.workflowId, type);
    workflows.set(options.workflowId, { type, ...options });
  },
  /** One that has `failure` has ended by it; `cancelled` is what it was asked. */
  getHandle: (id: string) => ({
    async describe() {
      const known = workflows.get(id);
      if (!known) throw new WorkflowNotFoundError('no such workflow', id, undefined);
      return {
        runId: 'run-1',
        startTime: new Date('2026-11-26T18:15:00.000Z'),
        status: { name: known['failure'] ? 'FAILED' : 'RUNNING' },
      };
    },
    async cancel() {
      const known = workflows.get(id);
      if (!known || known['failure']) throw new WorkflowNotFoundError('no such workflow', id, undefined);
      known['cancelled'] = true;
    },
    async result() {
      throw new WorkflowFailedError('it failed', workflows.get(id)?.['failure'] as Error, 'NON_RETRYABLE_FAILURE');
    },
  }),
});
