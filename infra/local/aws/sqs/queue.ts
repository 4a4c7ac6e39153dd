/**
 * One standard queue: what is ready, what is hidden, who waits. It changes memory only; the journal is kept by the
 * `record` it is given.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import type { Cancel, Clock } from '../../kit/clock.ts';
import { AwsError } from '../../kit/service.ts';
import { type Attributes, parseRedrive } from './attributes.ts';
import { queueDoesNotExist } from './errors.ts';
import type { Message } from './message.ts';

/** Standard queues hold at most so many messages in flight. */
const MAX_IN_FLIGHT = 120_000;

export interface QueueDescription {
  name: string;
  attributes: Attributes;
  tags: Record<string, string>;
  createdAt: number;
  modifiedAt: number;
}

export interface QueueSurroundings {
  clock: Clock;
  /** Writes down that a message was received or hidden anew. */
  recordState(queue: Queue, message: Message): void;
  recordDelete(queue: Queue, id: string): void;
  /** Moves a message to the dead-letter queue; false when there is no such queue. */
  redrive(from: Queue, message: Message, deadLetterTargetArn: string): boolean;
}

interface Waiter {
  take(): boolean;
  fail(error: Error): void;
}

export interface Counts {
  visible: number;
  delayed: number;
  inFlight: number;
}

export class Queue {
  description: QueueDescription;
  readonly messages = new Map<string, Message>();
  purgedAt = Number.NEGATIVE_INFINITY;
  readonly #around: QueueSurroundings;
  /** Ids ready to be received, oldest first; an id may be stale. */
  #ready: string[] = [];
  #readyHead = 0;
  /** The end of hiding of each hidden message. */
  readonly #hidden = new Map<string, Cancel>();
  #waiters: Waiter[] = [];

  constructor(description: QueueDescription, around: QueueSurroundings) {
    this.description = description;
    this.#around = around;
  }

  seconds(attribute: string): number {
    return Number(this.description.attributes[attribute]);
  }

  /** Puts messages in, then wakes who waits: a batch arrives as one. */
  add(messages: readonly Message[]): void {
    for (const message of messages) {
      this.messages.set(message.id, message);
      this.#place(message);
    }
    this.#wake();
  }

  counts(): Counts {
    this.#dropExpired();
    const counts = { visible: 0, delayed: 0, inFlight: 0 };
    for (const message of this.messages.values()) {
      if (!this.#hidden.has(message.id)) counts.visible += 1;
      else if (message.receives === 0) counts.delayed += 1;
      else counts.inFlight += 1;
    }
    return counts;
  }

  /** Receives at once, or waits up to `waitSeconds` for the first message. A caller who is gone takes nothing. */
  receive(options: {
    max: number;
    visibilitySeconds: number;
    waitSeconds: number;
    gone: AbortSignal;
  }): Promise<Message[]> {
    const taken = options.gone.aborted ? [] : this.#take(options.max, options.visibilitySeconds);
    if (taken.length === 0 && options.waitSeconds === 0 && this.#hidden.size >= MAX_IN_FLIGHT) {
      throw new AwsError('OverLimit', `Too many messages in flight: ${MAX_IN_FLIGHT}.`);
    }
    if (taken.length > 0 || options.waitSeconds === 0 || options.gone.aborted) return Promise.resolve(taken);
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        take: () => {
          const messages = this.#take(options.max, options.visibilitySeconds);
          if (messages.length === 0) return false;
          end(messages);
          return true;
        },
        fail: (error) => {
          cancel();
          options.gone.removeEventListener('abort', leave);
          reject(error);
        },
      };
      const end = (messages: Message[]) => {
        cancel();
        options.gone.removeEventListener('abort', leave);
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        resolve(messages);
      };
      const leave = () => end([]);
      const cancel = this.#around.clock.after(options.waitSeconds * 1000, leave);
      options.gone.addEventListener('abort', leave);
      this.#waiters.push(waiter);
    });
  }

  /** Deletes by the handle of the latest receive; an older one changes nothing, as SQS answers it. */
  delete(id: string, receipt: string): void {
    if (this.messages.get(id)?.receipt === receipt) this.#remove(id);
  }

  /** @returns false when the message is gone or no longer in flight under this handle */
  changeVisibility(id: string, receipt: string, seconds: number): boolean {
    const message = this.messages.get(id);
    if (!message || message.receipt !== receipt || !this.#hidden.has(id)) return false;
    message.visibleAt = this.#around.clock.now() + seconds * 1000;
    this.#around.recordState(this, message);
    this.#place(message);
    this.#wake();
    return true;
  }

  /** Takes everything out without writing it down: the caller records the purge or the move. */
  clear(): void {
    for (const id of this.messages.keys()) this.forget(id);
  }

  forget(id: string): void {
    this.#hidden.get(id)?.();
    this.#hidden.delete(id);
    this.messages.delete(id);
  }

  /** Ends all waiting: the queue is deleted. */
  end(): void {
    this.clear();
    for (const waiter of this.#waiters) waiter.fail(queueDoesNotExist());
    this.#waiters = [];
  }

  #remove(id: string): void {
    this.#around.recordDelete(this, id);
    this.forget(id);
  }

  #place(message: Message): void {
    this.#hidden.get(message.id)?.();
    this.#hidden.delete(message.id);
    const delay = message.visibleAt - this.#around.clock.now();
    if (delay <= 0) {
      this.#ready.push(message.id);
      return;
    }
    const appear = () => {
      this.#hidden.delete(message.id);
      this.#ready.push(message.id);
      this.#wake();
    };
    this.#hidden.set(message.id, this.#around.clock.after(delay, appear));
  }

  #wake(): void {
    for (const waiter of this.#waiters) {
      if (!waiter.take()) return;
    }
  }

  #take(max: number, visibilitySeconds: number): Message[] {
    const now = this.#around.clock.now();
    const policy = this.description.attributes.RedrivePolicy;
    const redrive = policy === undefined ? undefined : parseRedrive(policy);
    const taken: Message[] = [];
    // Only what is ready now: a visibility timeout of 0 puts a message straight back, and it must not come twice.
    const end = this.#ready.length;
    while (taken.length < max && this.#readyHead < end && this.#hidden.size < MAX_IN_FLIGHT) {
      const id = this.#ready[this.#readyHead] as string;
      const message = this.messages.get(id);
      this.#readyHead += 1;
      if (!message || this.#hidden.has(id)) continue;
      if (this.#expired(message, now)) {
        this.#remove(id);
        continue;
      }
      if (redrive && message.receives >= redrive.maxReceiveCount) {
        if (this.#around.redrive(this, message, redrive.deadLetterTargetArn)) continue;
      }
      message.receives += 1;
      message.firstReceivedAt ??= now;
      message.visibleAt = now + visibilitySeconds * 1000;
      message.receipt = randomUUID();
      this.#around.recordState(this, message);
      this.#place(message);
      taken.push(message);
    }
    if (this.#readyHead > 1024 && this.#readyHead * 2 > this.#ready.length) {
      this.#ready = this.#ready.slice(this.#readyHead);
      this.#readyHead = 0;
    }
    return taken;
  }

  #expired(message: Message, now: number): boolean {
    return message.sentAt + this.seconds('MessageRetentionPeriod') * 1000 <= now;
  }

  #dropExpired(): void {
    const now = this.#around.clock.now();
    for (const message of this.messages.values()) if (this.#expired(message, now)) this.#remove(message.id);
  }
}
