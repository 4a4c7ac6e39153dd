/**
 * All queues and their journal.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Kit } from '../../kit/front-door.ts';
import { type Journal, openJournal } from '../../kit/journal.ts';
import { AwsError } from '../../kit/service.ts';
import type { Place } from '../ports.ts';
import { queueDoesNotExist } from './errors.ts';
import type { Message, MessageAttributes } from './message.ts';
import { Queue, type QueueDescription, type QueueSurroundings } from './queue.ts';

/** A deleted name cannot be used again for so long; nor may a queue be purged more often. */
const QUIET_MS = 60_000;

type Entry =
  | { op: 'queue'; queue: QueueDescription }
  | { op: 'end'; name: string }
  | { op: 'send'; queue: string; message: Message }
  | { op: 'state'; queue: string; id: string; state: MessageState; hiddenMs: number }
  | { op: 'move'; from: string; to: string; message: Message }
  | { op: 'delete'; queue: string; id: string }
  | { op: 'purge'; queue: string };

type MessageState = Pick<Message, 'receives' | 'firstReceivedAt' | 'visibleAt' | 'receipt'>;

export class QueueStore {
  readonly #kit: Kit;
  readonly #place: Place;
  readonly #queues = new Map<string, Queue>();
  readonly #endedAt = new Map<string, number>();
  readonly #journal: Journal<Entry>;
  readonly #around: QueueSurroundings;

  constructor(options: { kit: Kit; place: Place; directory: string }) {
    this.#kit = options.kit;
    this.#place = options.place;
    this.#around = {
      clock: options.kit.clock,
      recordState: (queue, message) => {
        const { receives, firstReceivedAt, visibleAt, receipt } = message;
        const state = { receives, visibleAt, ...(firstReceivedAt && { firstReceivedAt }), ...(receipt && { receipt }) };
        const hiddenMs = visibleAt - this.#kit.clock.now();
        this.#journal.append({ op: 'state', queue: queue.description.name, id: message.id, state, hiddenMs });
      },
      recordDelete: (queue, id) => this.#journal.append({ op: 'delete', queue: queue.description.name, id }),
      redrive: (from, message, targetArn) => this.#redrive(from, message, targetArn),
    };
    // Messages are placed only after the whole replay: a timer per line of the past would be waste.
    const replayed = new Map<string, { description: QueueDescription; messages: Map<string, Message> }>();
    const of = (name: string) => replayed.get(name)?.messages;
    this.#journal = openJournal<Entry>({
      file: join(options.directory, 'queues.jsonl'),
      replay: (entry) => {
        if (entry.op === 'queue') {
          const messages = of(entry.queue.name) ?? new Map<string, Message>();
          replayed.set(entry.queue.name, { description: entry.queue, messages });
        } else if (entry.op === 'end') replayed.delete(entry.name);
        else if (entry.op === 'send') of(entry.queue)?.set(entry.message.id, entry.message);
        else if (entry.op === 'delete') of(entry.queue)?.delete(entry.id);
        else if (entry.op === 'purge') of(entry.queue)?.clear();
        else if (entry.op === 'move') {
          of(entry.from)?.delete(entry.message.id);
          of(entry.to)?.set(entry.message.id, entry.message);
        } else {
          const message = of(entry.queue)?.get(entry.id);
          // The clock may have been ahead when this was written: never hidden for longer than was asked for.
          const visibleAt = Math.min(entry.state.visibleAt, this.#kit.clock.now() + entry.hiddenMs);
          if (message) Object.assign(message, entry.state, { visibleAt });
        }
      },
      snapshot: () => (this.#queues.size > 0 ? this.#snapshot() : replayedEntries(replayed)),
    });
    for (const [name, { description, messages }] of replayed) {
      const queue = new Queue(description, this.#around);
      this.#queues.set(name, queue);
      queue.add([...messages.values()]);
    }
    replayed.clear();
  }

  arn(name: string): string {
    return `arn:aws:sqs:${this.#place.region}:${this.#place.accountId}:${name}`;
  }

  byArn(arn: string): Queue | undefined {
    const name = arn.slice(arn.lastIndexOf(':') + 1);
    return arn === this.arn(name) ? this.#queues.get(name) : undefined;
  }

  find(name: string): Queue | undefined {
    return this.#queues.get(name);
  }

  /** By URL: only its path counts, since the same queue is reached by different host names. */
  byUrl(url: string): Queue {
    const path = /^https?:\/\/[^/]+\/(.*)$/.exec(url)?.[1] ?? url.replace(/^\//, '');
    const [account, name] = path.split('/');
    const queue = account === this.#place.accountId ? this.#queues.get(name ?? '') : undefined;
    if (!queue) throw queueDoesNotExist();
    return queue;
  }

  names(): string[] {
    return [...this.#queues.keys()].sort();
  }

  create(description: Omit<QueueDescription, 'createdAt' | 'modifiedAt'>): Queue {
    const now = this.#kit.clock.now();
    if (now - (this.#endedAt.get(description.name) ?? Number.NEGATIVE_INFINITY) < QUIET_MS) {
      throw new AwsError(
        'QueueDeletedRecently',
        'You must wait 60 seconds after deleting a queue before you can create another with the same name.',
      );
    }
    const queue = new Queue({ ...description, createdAt: now, modifiedAt: now }, this.#around);
    this.#journal.append({ op: 'queue', queue: queue.description });
    this.#queues.set(description.name, queue);
    return queue;
  }

  update(queue: Queue, change: Partial<Pick<QueueDescription, 'attributes' | 'tags'>>): void {
    const description = { ...queue.description, ...change, modifiedAt: this.#kit.clock.now() };
    this.#journal.append({ op: 'queue', queue: description });
    queue.description = description;
  }

  end(queue: Queue): void {
    const { name } = queue.description;
    this.#journal.append({ op: 'end', name });
    this.#queues.delete(name);
    this.#endedAt.set(name, this.#kit.clock.now());
    queue.end();
  }

  purge(queue: Queue): void {
    const { name } = queue.description;
    const now = this.#kit.clock.now();
    if (now - queue.purgedAt < QUIET_MS) {
      throw new AwsError(
        'PurgeQueueInProgress',
        `Only one PurgeQueue operation on ${name} is allowed every 60 seconds.`,
      );
    }
    queue.purgedAt = now;
    this.#journal.append({ op: 'purge', queue: name });
    queue.clear();
  }

  /** Puts messages in as one batch, so that one long poll can take them together. */
  send(
    queue: Queue,
    drafts: readonly { body: string; attributes?: MessageAttributes; delaySeconds?: number; sender: string }[],
  ) {
    const now = this.#kit.clock.now();
    const messages = drafts.map((draft): Message => {
      const delay = draft.delaySeconds ?? queue.seconds('DelaySeconds');
      const message: Message = {
        id: randomUUID(),
        body: draft.body,
        sentAt: now,
        sender: draft.sender,
        receives: 0,
        visibleAt: now + delay * 1000,
      };
      if (draft.attributes) message.attributes = draft.attributes;
      return message;
    });
    for (const message of messages) this.#journal.append({ op: 'send', queue: queue.description.name, message });
    queue.add(messages);
    return messages;
  }

  close(): void {
    for (const queue of this.#queues.values()) queue.end();
    this.#journal.close();
  }

  #redrive(from: Queue, message: Message, targetArn: string): boolean {
    const target = this.byArn(targetArn);
    if (!target || target === from) return false;
    const { receipt: _, ...kept } = message;
    const moved: Message = {
      ...kept,
      visibleAt: this.#kit.clock.now(),
      deadLetterSource: this.arn(from.description.name),
    };
    const names = { from: from.description.name, to: target.description.name };
    this.#journal.append({ op: 'move', ...names, message: moved });
    from.forget(message.id);
    target.add([moved]);
    return true;
  }

  *#snapshot(): Iterable<Entry> {
    for (const queue of this.#queues.values()) {
      yield { op: 'queue', queue: queue.description };
      for (const message of queue.messages.values()) yield { op: 'send', queue: queue.description.name, message };
    }
  }
}

function* replayedEntries(
  replayed: ReadonlyMap<string, { description: QueueDescription; messages: Map<string, Message> }>,
): Iterable<Entry> {
  for (const [name, { description, messages }] of replayed) {
    yield { op: 'queue', queue: description };
    for (const message of messages.values()) yield { op: 'send', queue: name, message };
  }
}
