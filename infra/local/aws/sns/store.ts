/**
 * Topics, subscriptions and the mailbox, with their journal.
 *
 * @module
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Kit } from '../../kit/front-door.ts';
import { type Journal, openJournal } from '../../kit/journal.ts';
import type { Place } from '../ports.ts';
import { writeEml } from './eml.ts';
import type { Mail, Subscription, Topic } from './model.ts';

type Entry =
  | { op: 'topic'; topic: Topic }
  | { op: 'endTopic'; name: string }
  | { op: 'subscription'; subscription: Subscription }
  | { op: 'endSubscription'; arn: string }
  | { op: 'mail'; mail: Mail }
  | { op: 'endMail'; id: string };

/** So long a subscription waits for its confirmation. */
const PENDING_MS = 2 * 24 * 60 * 60 * 1000;
/** Older mails make room for newer ones. */
const MOST_MAILS = 1_000;

export class SnsStore {
  readonly #kit: Kit;
  readonly #place: Place;
  readonly #mailDirectory: string;
  readonly #topics = new Map<string, Topic>();
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #mails = new Map<string, Mail>();
  readonly #journal: Journal<Entry>;

  constructor(options: { kit: Kit; place: Place; directory: string }) {
    this.#kit = options.kit;
    this.#place = options.place;
    this.#mailDirectory = join(options.directory, 'mail');
    this.#journal = openJournal<Entry>({
      file: join(options.directory, 'sns.jsonl'),
      replay: (entry) => this.#apply(entry),
      snapshot: () => this.#snapshot(),
    });
  }

  arn(name: string): string {
    return `arn:aws:sns:${this.#place.region}:${this.#place.accountId}:${name}`;
  }

  get accountId(): string {
    return this.#place.accountId;
  }

  /** Whether an ARN names something of this account and Region. */
  isOwn(arn: string): boolean {
    return arn.startsWith(this.arn(''));
  }

  topic(arn: string): Topic | undefined {
    return this.isOwn(arn) ? this.#topics.get(arn.slice(this.arn('').length)) : undefined;
  }

  topics(): Topic[] {
    return [...this.#topics.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  putTopic(topic: Topic): void {
    this.#record({ op: 'topic', topic });
  }

  endTopic({ name }: Topic): void {
    for (const { arn } of this.subscriptions(this.arn(name))) this.#record({ op: 'endSubscription', arn });
    this.#record({ op: 'endTopic', name });
  }

  /** Of a topic, in the order they were made; those nobody has confirmed in time are gone. */
  subscriptions(topicArn: string): Subscription[] {
    return [...this.#subscriptions.values()].filter((one) => one.topicArn === topicArn && this.#stands(one));
  }

  subscription(arn: string): Subscription | undefined {
    const found = this.#subscriptions.get(arn);
    return found && this.#stands(found) ? found : undefined;
  }

  /** @param confirmed nobody has to confirm it */
  subscribe(
    subscription: Omit<Subscription, 'arn' | 'createdAt' | 'token' | 'pending'>,
    confirmed: boolean,
  ): Subscription {
    const made: Subscription = {
      ...subscription,
      arn: `${subscription.topicArn}:${randomUUID()}`,
      createdAt: this.#kit.clock.now(),
      ...(!confirmed && { pending: true as const, token: randomBytes(128).toString('hex') }),
    };
    this.#record({ op: 'subscription', subscription: made });
    return made;
  }

  update(subscription: Subscription): void {
    this.#record({ op: 'subscription', subscription });
  }

  unsubscribe({ arn, topicArn }: Subscription): void {
    this.#record({ op: 'endSubscription', arn });
    const topic = this.topic(topicArn);
    if (topic) this.putTopic({ ...topic, deleted: topic.deleted + 1 });
  }

  /** Puts a mail into the mailbox and beside it as a file. */
  keepMail(mail: Omit<Mail, 'id' | 'at' | 'file'>): Mail {
    const id = randomUUID();
    const at = this.#kit.clock.date().toISOString();
    const kept: Mail = {
      id,
      at,
      ...mail,
      file: join(this.#mailDirectory, `${at.replaceAll(':', '.')}-${id.slice(0, 8)}.eml`),
    };
    writeEml(kept);
    this.#record({ op: 'mail', mail: kept });
    const [oldest] = this.#mails.values();
    if (this.#mails.size > MOST_MAILS && oldest) {
      rmSync(oldest.file, { force: true });
      this.#record({ op: 'endMail', id: oldest.id });
    }
    return kept;
  }

  /** Oldest first. */
  mails(): Mail[] {
    return [...this.#mails.values()];
  }

  close(): void {
    this.#journal.close();
  }

  #stands({ pending, createdAt }: Subscription): boolean {
    return !pending || this.#kit.clock.now() < createdAt + PENDING_MS;
  }

  #record(entry: Entry): void {
    this.#journal.append(entry);
    this.#apply(entry);
  }

  #apply(entry: Entry): void {
    if (entry.op === 'topic') this.#topics.set(entry.topic.name, entry.topic);
    else if (entry.op === 'endTopic') this.#topics.delete(entry.name);
    else if (entry.op === 'subscription') this.#subscriptions.set(entry.subscription.arn, entry.subscription);
    else if (entry.op === 'endSubscription') this.#subscriptions.delete(entry.arn);
    else if (entry.op === 'mail') this.#mails.set(entry.mail.id, entry.mail);
    else this.#mails.delete(entry.id);
  }

  *#snapshot(): Iterable<Entry> {
    for (const topic of this.#topics.values()) yield { op: 'topic', topic };
    for (const subscription of this.#subscriptions.values()) yield { op: 'subscription', subscription };
    for (const mail of this.#mails.values()) yield { op: 'mail', mail };
  }
}
