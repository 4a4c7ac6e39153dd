/**
 * Stories and what outlives them. A story is begun in one transaction: its item, its record, and what it may cost taken from
 * the family's month; so a night that is started again, by whomever and however late, finds that it has its story.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import { type DynamoDBClient, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  DynamoDBDocumentClient,
  GetCommand,
  QueryCommand,
  TransactWriteCommand,
  type TransactWriteCommandInput,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import type { Part, PartState, StoryStatus } from '../../workflows/story/model.ts';
import type { MonthItem, StageUsage, StoryItem, StoryRecord, Verdict } from '../story/document.ts';
import { isRefused } from './conditions.ts';
import { STORY_RECORD_INDEXES, type Tables } from './tables.ts';

export const nightEntryOf = (night: string): string => `night#${night}`;
const monthEntryOf = (month: string): string => `month#${month}`;

export type Begun =
  | { outcome: 'new' }
  /** Its text may have gone since. */
  | { outcome: 'existing'; record: StoryRecord }
  /** Micro-USD that the month has left. */
  | { outcome: 'over-limit'; left: number };

/** Of a request that is part of a transaction. */
type Transacted<Kind extends 'Put' | 'Update'> = NonNullable<
  NonNullable<TransactWriteCommandInput['TransactItems']>[number][Kind]
>;
const REFUSED = 'ConditionalCheckFailed';
/** Digits of a hash in names of stages. */
const HASH_SHOWN = 8;

interface Change {
  set: Readonly<Record<string, unknown>>;
  /** Beside that it is there. */
  where?: string;
  values?: Readonly<Record<string, unknown>>;
  names?: Readonly<Record<string, string>>;
}

export class StoryStore {
  readonly #documents: DynamoDBDocumentClient;
  readonly #stories: string;
  readonly #records: string;

  constructor(client: DynamoDBClient, tables: Pick<Tables, 'stories' | 'storyRecords'>) {
    this.#documents = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
    this.#stories = tables.stories;
    this.#records = tables.storyRecords;
  }

  /** Also one that has expired and not been deleted yet: look at `expires_at`. */
  async get(storyId: string): Promise<StoryItem | undefined> {
    const { Item } = await this.#documents.send(
      new GetCommand({ TableName: this.#stories, Key: { story_id: storyId }, ConsistentRead: true }),
    );
    return Item as StoryItem | undefined;
  }

  async record(family: string, night: string): Promise<StoryRecord | undefined> {
    const { Item } = await this.#documents.send(
      new GetCommand({ TableName: this.#records, Key: { family, entry: nightEntryOf(night) }, ConsistentRead: true }),
    );
    return Item as StoryRecord | undefined;
  }

  /** Micro-USD of that month. */
  async committed(family: string, month: string): Promise<number> {
    const { Item } = await this.#documents.send(
      new GetCommand({ TableName: this.#records, Key: { family, entry: monthEntryOf(month) }, ConsistentRead: true }),
    );
    return (Item as MonthItem | undefined)?.committed ?? 0;
  }

  /**
   * @param monthLimit micro-USD: what stories of the month may commit to, this one's `reserved` included
   */
  async begin(item: StoryItem, record: StoryRecord, monthLimit: number): Promise<Begun> {
    const isNew = { ConditionExpression: 'attribute_not_exists(entry)' };
    const begun = await this.#enter(item, record, isNew, this.#reserve(record, monthLimit));
    if (begun === 'over-limit') return this.#overLimit(record, monthLimit);
    if (begun === 'new') return { outcome: 'new' };
    const existing = await this.record(record.family, record.night);
    if (!existing) throw new Error(`the record of story ${record.story_id} has gone while it was begun`);
    return { outcome: 'existing', record: existing };
  }

  /**
   * A story whose run is over, ended or not, is gone on with by another.
   * @param known the record as it was found; nothing is written when it has changed since
   */
  async takeOver(item: StoryItem, record: StoryRecord, monthLimit: number, known: StoryRecord): Promise<Begun> {
    const unchanged = {
      ConditionExpression: 'run_id = :run AND #status = :status',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: { ':run': known.run_id, ':status': known.status },
    };
    // One that was not settled has its reservation still.
    const reservation = known.settled ? this.#reserve(record, monthLimit) : undefined;
    const begun = await this.#enter(item, record, unchanged, reservation);
    if (begun === 'over-limit') return this.#overLimit(record, monthLimit);
    return begun === 'new' ? { outcome: 'new' } : { outcome: 'existing', record: known };
  }

  /** Record, item and reservation, all or none. */
  async #enter(
    item: StoryItem,
    record: StoryRecord,
    condition: Pick<Transacted<'Put'>, 'ConditionExpression'>,
    reservation: Transacted<'Update'> | undefined,
  ): Promise<Begun['outcome']> {
    try {
      await this.#documents.send(
        new TransactWriteCommand({
          TransactItems: [
            { Put: { TableName: this.#records, Item: record, ...condition } },
            { Put: { TableName: this.#stories, Item: item } },
            ...(reservation ? [{ Update: reservation }] : []),
          ],
        }),
      );
      return 'new';
    } catch (error) {
      if (!(error instanceof TransactionCanceledException)) throw error;
      const [first, , third] = error.CancellationReasons ?? [];
      if (first?.Code === REFUSED) return 'existing';
      if (third?.Code === REFUSED) return 'over-limit';
      throw error;
    }
  }

  /** Refused when the month would have more than its limit. */
  #reserve({ family, month, reserved }: StoryRecord, monthLimit: number): Transacted<'Update'> {
    const room = monthLimit - reserved;
    return {
      TableName: this.#records,
      Key: { family, entry: monthEntryOf(month) },
      UpdateExpression: 'ADD committed :reserved',
      // A month that nothing was taken from yet has no number.
      ConditionExpression:
        room < 0 ? 'attribute_exists(never)' : 'attribute_not_exists(committed) OR committed <= :room',
      ExpressionAttributeValues: { ':reserved': reserved, ...(room >= 0 && { ':room': room }) },
    };
  }

  async #overLimit({ family, month }: StoryRecord, monthLimit: number): Promise<Begun> {
    return { outcome: 'over-limit', left: Math.max(0, monthLimit - (await this.committed(family, month))) };
  }

  /** The text is there: the story can be read. @returns false where it has ended or gone meanwhile */
  keepText(
    storyId: string,
    text: { title: string; paragraphs: readonly string[]; words: number; at: string },
  ): Promise<boolean> {
    return this.#update(storyId, {
      set: { ...text, at: undefined, status: 'READY' satisfies StoryStatus, updated_at: text.at },
      where: '#status IN (:writing, :ready)',
      values: { ':writing': 'WRITING', ':ready': 'READY' },
      names: { '#status': 'status' },
    });
  }

  /** Replaces a part's view. */
  keepPart<P extends Part>(storyId: string, part: P, view: StoryItem[P], at: string): Promise<boolean> {
    return this.#update(storyId, { set: { [part]: { at, ...view }, updated_at: at } });
  }

  /** A part that is given up, unless something has become of it meanwhile. @returns whether it was PENDING */
  async giveUpPart(storyId: string, part: Part, reason: string | undefined, at: string): Promise<boolean> {
    const view = { state: 'FAILED' satisfies PartState, at, ...(reason !== undefined && { reason }) };
    return this.#update(storyId, {
      set: { [part]: view, updated_at: at },
      where: '#part.#state = :pending',
      values: { ':pending': 'PENDING' },
      names: { '#part': part, '#state': 'state' },
    });
  }

  /**
   * A mail may be sent by one attempt only: the part goes from PENDING to UNCERTAIN before SNS is asked, and to READY, or back
   * to PENDING when SNS has refused, after. A call whose answer was lost, and which the SDK repeats, knows its own claim.
   * @returns whether it was PENDING
   */
  claimMail(storyId: string, at: string): Promise<boolean> {
    const claim = randomUUID();
    return this.#update(storyId, {
      set: { mail: { state: 'UNCERTAIN' satisfies PartState, at, claim }, updated_at: at },
      where: '(mail.#state = :pending OR mail.claim = :claim)',
      values: { ':pending': 'PENDING', ':claim': claim },
      names: { '#state': 'state' },
    });
  }

  /** @param runId whose story it is: that of another run goes on */
  keepEnd(storyId: string, runId: string, status: StoryStatus, at: string): Promise<boolean> {
    return this.#update(storyId, {
      set: { status, updated_at: at },
      where: '#run = :run',
      values: { ':run': runId },
      names: { '#run': 'run_id' },
    });
  }

  async keepVerdict(family: string, night: string, of: string, verdict: Verdict): Promise<void> {
    await this.#put(family, night, 'verdicts', of, verdict);
  }

  /**
   * What was paid stays: a stage that is made again from something else, as by a later attempt, is kept beside it as
   * `<stage>@<hash>`.
   */
  async keepUsage(family: string, night: string, stage: string, usage: StageUsage): Promise<void> {
    const same = {
      where: '(attribute_not_exists(#map.#name) OR #map.#name.#hash = :hash)',
      names: { '#hash': 'hash' },
      values: { ':hash': usage.hash },
    };
    try {
      await this.#put(family, night, 'usage', stage, usage, same);
    } catch (error) {
      // Refused too where there is no record; the second write tells the two apart.
      if (!isRefused(error)) throw error;
      await this.#put(family, night, 'usage', `${stage}@${usage.hash.slice(0, HASH_SHOWN)}`, usage);
    }
  }

  /**
   * Ends a record's attempt once: what was reserved goes back to the month but for what was spent.
   * @param spent micro-USD, of all attempts
   * @returns false when it had been settled before, or another attempt goes on with the story
   */
  async settle(
    record: StoryRecord,
    end: Pick<StoryRecord, 'status' | 'title' | 'words' | 'parts' | 'cost' | 'unpriced' | 'error'> & {
      ended_at: string;
    },
    spent: number,
  ): Promise<boolean> {
    const { family, entry, month, reserved, attempt, spent: before = 0 } = record;
    const facts = Object.entries({ ...end, spent, settled: true }).filter(([, value]) => value !== undefined);
    try {
      await this.#documents.send(
        new TransactWriteCommand({
          TransactItems: [
            {
              Update: {
                TableName: this.#records,
                Key: { family, entry },
                UpdateExpression: `SET ${facts.map((_, place) => `#n${place} = :v${place}`).join(', ')}`,
                ConditionExpression: 'attempt = :attempt AND attribute_not_exists(settled)',
                ExpressionAttributeNames: Object.fromEntries(facts.map(([name], place) => [`#n${place}`, name])),
                ExpressionAttributeValues: {
                  ':attempt': attempt,
                  ...Object.fromEntries(facts.map(([, value], place) => [`:v${place}`, value])),
                },
              },
            },
            {
              Update: {
                TableName: this.#records,
                Key: { family, entry: monthEntryOf(month) },
                UpdateExpression: 'ADD committed :difference',
                ExpressionAttributeValues: { ':difference': spent - before - reserved },
              },
            },
          ],
        }),
      );
      return true;
    } catch (error) {
      if (isRefused(error)) return false;
      throw error;
    }
  }

  /** Records of a family, the newest first. */
  async book(
    family: string,
    { limit, before }: { limit: number; before?: string },
  ): Promise<{ records: StoryRecord[]; before?: string }> {
    const { Items = [], LastEvaluatedKey } = await this.#documents.send(
      new QueryCommand({
        TableName: this.#records,
        IndexName: STORY_RECORD_INDEXES.byCreated,
        KeyConditionExpression: `#family = :family${before === undefined ? '' : ' AND created_at < :before'}`,
        // A word DynamoDB keeps for itself.
        ExpressionAttributeNames: { '#family': 'family' },
        ExpressionAttributeValues: { ':family': family, ...(before !== undefined && { ':before': before }) },
        ScanIndexForward: false,
        Limit: limit,
      }),
    );
    const records = Items as StoryRecord[];
    const last = records.at(-1);
    return { records, ...(LastEvaluatedKey && last && { before: last.created_at }) };
  }

  async #put(
    family: string,
    night: string,
    map: 'verdicts' | 'usage',
    name: string,
    value: object,
    only: Pick<Change, 'where' | 'names' | 'values'> = {},
  ): Promise<void> {
    await this.#documents.send(
      new UpdateCommand({
        TableName: this.#records,
        Key: { family, entry: nightEntryOf(night) },
        UpdateExpression: 'SET #map.#name = :value',
        ConditionExpression: ['attribute_exists(entry)', only.where].filter(Boolean).join(' AND '),
        ExpressionAttributeNames: { '#map': map, '#name': name, ...only.names },
        ExpressionAttributeValues: { ':value': value, ...only.values },
      }),
    );
  }

  async #update(storyId: string, change: Change): Promise<boolean> {
    const facts = Object.entries(change.set).filter(([, value]) => value !== undefined);
    try {
      await this.#documents.send(
        new UpdateCommand({
          TableName: this.#stories,
          Key: { story_id: storyId },
          UpdateExpression: `SET ${facts.map((_, place) => `#n${place} = :v${place}`).join(', ')}`,
          // One that has gone must not come back without its time to live.
          ConditionExpression: ['attribute_exists(story_id)', change.where].filter(Boolean).join(' AND '),
          ExpressionAttributeNames: {
            ...change.names,
            ...Object.fromEntries(facts.map(([name], place) => [`#n${place}`, name])),
          },
          ExpressionAttributeValues: {
            ...change.values,
            ...Object.fromEntries(facts.map(([, value], place) => [`:v${place}`, value])),
          },
        }),
      );
      return true;
    } catch (error) {
      if (isRefused(error)) return false;
      throw error;
    }
  }
}
