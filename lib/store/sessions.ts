/**
 * Sessions of users: who they are, how long they have been away, how far they have read.
 *
 * An anonymous user's id is made by its client and is no secret; the secret is ours, and only its digest is kept. The first
 * who comes with an id gets it. `subject` names what a session owns: a new one for each session, so that whoever takes
 * an id after its session was removed owns nothing of what was there before.
 *
 * @module
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { ConditionalCheckFailedException, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Position } from '../../workflows/progress/model.ts';
import { queryAll } from './query.ts';
import type { Tables } from './tables.ts';

/** A session whose user has been away for so long is removed. */
export const INACTIVE_MS = 5 * 60_000;
/** What the schedule has missed, the table's time to live takes. */
const KEPT_SECONDS = 24 * 3600;

export interface SessionUser {
  /** Key of the tables: the anonymous user's id, or {@link tokenUser}. */
  userId: string;
  /** What it owns is under this name. */
  subject: string;
}

/** How somebody comes to a session. */
export type Arrival =
  | { session: 'new' | 'purged'; subject: string; secret: string }
  | { session: 'resumed'; subject: string }
  /** The id is somebody's, and the secret is not its. */
  | { session: 'refused' };

export interface SessionsStore {
  /** An anonymous user comes, with the secret it was given before, if it was. */
  arrive(userId: string, secret: string | undefined, now: number): Promise<Arrival>;
  /** A user whom a token names comes. */
  arriveByToken(sub: string, now: number): Promise<{ session: 'new' | 'resumed'; user: SessionUser }>;
  /** It is still there, or has been until now. */
  seen(user: SessionUser, now: number): Promise<void>;
  cursor(user: SessionUser, run: string): Promise<Position | undefined>;
  /** Never backwards within an epoch. */
  moveCursor(user: SessionUser, run: string, position: Position): Promise<void>;
  /** Removes a session whose user has not been seen since `before`. */
  purge(userId: string, before: number): Promise<boolean>;
}

/** Cannot be the id of an anonymous user. */
const tokenUser = (sub: string): string => `token#${sub}`;

const IDENTITY = 'identity';
const cursorOf = (run: string): string => `cursor#${run}`;

/** The item `identity` of `Sessions`. */
interface Identity {
  userId: string;
  entry: typeof IDENTITY;
  subject: string;
  /** SHA-256, in base64url; not of users with a token. */
  secret_digest?: string;
  created_at: number;
  /** Epoch ms. */
  lastSeen: number;
  /** Epoch seconds. */
  expires_at: number;
}

export function createSessionsStore(client: DynamoDBClient, tables: Pick<Tables, 'sessions'>): SessionsStore {
  const documents = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
  const TableName = tables.sessions;

  const find = async (userId: string): Promise<Identity | undefined> => {
    const Key = { userId, entry: IDENTITY };
    const { Item } = await documents.send(new GetCommand({ TableName, Key, ConsistentRead: true }));
    return Item as Identity | undefined;
  };

  /** @returns false when somebody was quicker */
  const create = (identity: Identity): Promise<boolean> =>
    unlessRefused(
      documents.send(
        new PutCommand({ TableName, Item: identity, ConditionExpression: 'attribute_not_exists(userId)' }),
      ),
    );

  const store: SessionsStore = {
    async arrive(userId, secret, now) {
      let known = await find(userId);
      if (known && now - known.lastSeen > INACTIVE_MS && (await store.purge(userId, now - INACTIVE_MS)))
        known = undefined;
      if (!known) {
        const given = randomBytes(32).toString('base64url');
        const subject = `anon.${randomBytes(16).toString('base64url')}`;
        const identity = { ...identityOf(userId, subject, now), secret_digest: digest(given) };
        // Who has a secret for an id that is not known any more was here before.
        if (await create(identity)) return { session: secret === undefined ? 'new' : 'purged', subject, secret: given };
        known = await find(userId);
      }
      if (!known || secret === undefined || !isSame(digest(secret), known.secret_digest ?? ''))
        return { session: 'refused' };
      await store.seen({ userId, subject: known.subject }, now);
      return { session: 'resumed', subject: known.subject };
    },

    async arriveByToken(sub, now) {
      const user = { userId: tokenUser(sub), subject: sub };
      const known = await find(user.userId);
      if (known) await store.seen(user, now);
      else await create(identityOf(user.userId, sub, now));
      return { session: known ? 'resumed' : 'new', user };
    },

    async seen({ userId, subject }, now) {
      await unlessRefused(
        documents.send(
          new UpdateCommand({
            TableName,
            Key: { userId, entry: IDENTITY },
            UpdateExpression: 'SET lastSeen = :now, expires_at = :expires',
            ConditionExpression: 'subject = :subject AND lastSeen < :now',
            ExpressionAttributeValues: { ':now': now, ':expires': expiryOf(now), ':subject': subject },
          }),
        ),
      );
    },

    async cursor({ userId, subject }, run) {
      const Key = { userId, entry: cursorOf(run) };
      const { Item } = await documents.send(new GetCommand({ TableName, Key, ConsistentRead: true }));
      // Of a session that was removed while it was written.
      if (!Item || Item.subject !== subject) return undefined;
      return { epoch: String(Item.epoch), seq: Number(Item.cursorPosition) };
    },

    async moveCursor({ userId, subject }, run, { epoch, seq }) {
      const now = Date.now();
      await unlessRefused(
        documents.send(
          new UpdateCommand({
            TableName,
            Key: { userId, entry: cursorOf(run) },
            UpdateExpression:
              'SET epoch = :epoch, cursorPosition = :seq, subject = :subject, moved_at = :now, expires_at = :expires',
            ConditionExpression:
              'attribute_not_exists(userId) OR subject <> :subject OR epoch <> :epoch OR cursorPosition < :seq',
            ExpressionAttributeValues: {
              ':epoch': epoch,
              ':seq': seq,
              ':subject': subject,
              ':now': now,
              ':expires': expiryOf(now),
            },
          }),
        ),
      );
    },

    async purge(userId, before) {
      const gone = await unlessRefused(
        documents.send(
          new DeleteCommand({
            TableName,
            Key: { userId, entry: IDENTITY },
            ConditionExpression: 'attribute_not_exists(userId) OR lastSeen < :before',
            ExpressionAttributeValues: { ':before': before },
          }),
        ),
      );
      if (!gone) return false;
      const cursors = await queryAll<{ entry: string }>(documents, {
        TableName,
        KeyConditionExpression: 'userId = :user AND begins_with(#entry, :cursor)',
        ProjectionExpression: '#entry',
        ExpressionAttributeNames: { '#entry': 'entry' },
        ExpressionAttributeValues: { ':user': userId, ':cursor': cursorOf('') },
        ConsistentRead: true,
      });
      for (const { entry } of cursors) await documents.send(new DeleteCommand({ TableName, Key: { userId, entry } }));
      return true;
    },
  };
  return store;
}

const identityOf = (userId: string, subject: string, now: number): Identity => ({
  userId,
  entry: IDENTITY,
  subject,
  created_at: now,
  lastSeen: now,
  expires_at: expiryOf(now),
});

const expiryOf = (now: number): number => Math.floor(now / 1000) + KEPT_SECONDS;

const digest = (secret: string): string => createHash('sha256').update(secret).digest('base64url');

const isSame = (one: string, other: string): boolean =>
  one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));

/** @returns false when the condition did not hold */
async function unlessRefused(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
