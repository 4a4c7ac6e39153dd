/**
 * One client, whatever carries its messages: what it watches, what it has acknowledged, what it may.
 *
 * @module
 */
import type { Position, RunFacts } from '../../../workflows/progress/model.ts';
import {
  CLOSE_CODES,
  type ClientMessage,
  type ErrorCode,
  LIMITS,
  type Resume,
  type ServerMessage,
} from '../../live/protocol.ts';
import { AuthError } from '../auth/tokens.ts';
import { maySee, type Principal } from '../principal.ts';
import { type Allowance, spend } from './allowance.ts';
import { parseClientMessage } from './client-message.ts';
import type { SessionIdentity } from './identity.ts';
import { type Batch, keptOf, type Message, messageOf, partsOf, subscribedMessage } from './message.ts';
import type { SessionDeps } from './session-deps.ts';
import type { Problem, Sink, Subscription } from './subscription.ts';
import type { Transport, TransportEvents } from './transport.ts';

/** Of events that may not be merged, for a client that takes nothing: then it has to come back. */
const HELD_EVENTS = 5_000;
const HELD_BYTES = 4_194_304;
/** An acknowledgement that is merged into one that waits costs little. */
const MERGED_COST = 0.05;
/** Of mistakes a client makes, before it is closed. */
const BAD_MESSAGES = 5;
const REFUSED_MESSAGES = 100;
const REQUESTS_AT_A_TIME = 8;

export class Session implements Sink, TransportEvents {
  readonly id: string;
  readonly identity: SessionIdentity;
  readonly transport: Transport;
  principal: Principal;
  /** Whether nothing has been sent since the last heartbeat. */
  quiet = true;
  /** Epoch ms. */
  readonly openedAt: number;
  readonly #deps: SessionDeps;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #allowance: Allowance;
  #heldEvents = 0;
  #heldBytes = 0;
  #bad = 0;
  #refused = 0;
  #requests = 0;
  #parts = 0;
  #ended = false;

  constructor(id: string, identity: SessionIdentity, transport: Transport, deps: SessionDeps) {
    this.id = id;
    this.identity = identity;
    this.principal = identity.principal;
    this.transport = transport;
    this.#deps = deps;
    this.openedAt = deps.now();
    this.#allowance = { left: LIMITS.messagesPerSecond, at: this.openedAt };
  }

  get ended(): boolean {
    return this.#ended;
  }

  get full(): boolean {
    return this.transport.full;
  }

  /** Begins, by telling the client who it is. */
  welcome(heartbeatMs: number): void {
    const { userId, session, secret } = this.identity;
    const { role, consumers } = this.principal;
    this.say({
      type: 'welcome',
      connectionId: this.id,
      userId,
      ...(secret !== undefined && { secret }),
      session,
      role,
      consumers,
      heartbeatMs,
    });
  }

  message(text: string): void {
    if (this.#ended) return;
    const message = parseClientMessage(text);
    if ('wrong' in message) {
      this.error('bad-message', message.wrong, 'docs/live.md has the messages there are');
      this.#bad += 1;
      if (this.#bad >= BAD_MESSAGES) this.close(CLOSE_CODES.badMessage, 'too many messages that cannot be understood');
      return;
    }
    // Its cost is known once it is known whether it was merged.
    const cost = message.type === 'ack' && this.#ack(message.run, message.position) ? MERGED_COST : 1;
    if (!spend(this.#allowance, LIMITS.messagesPerSecond, this.#deps.now(), cost)) {
      this.#refuse();
      return;
    }
    this.#follow(message);
  }

  #follow(message: ClientMessage): void {
    switch (message.type) {
      case 'subscribe':
        void this.#subscribe(message);
        return;
      case 'unsubscribe':
        this.#subscriptions.get(message.run)?.end();
        this.#subscriptions.delete(message.run);
        return;
      case 'renew':
        void this.#renew(message.token);
        return;
      case 'request':
        void this.#request(message);
        return;
      case 'ping':
        this.say({ type: 'pong' });
        return;
      case 'ack':
        return;
    }
  }

  /** What it sends is dropped, and it is told so, though not each time; who goes on is closed. */
  #refuse(): void {
    this.#refused += 1;
    if (this.#refused === 1 || this.#refused % 25 === 0)
      this.error(
        'too-many-messages',
        `more than ${LIMITS.messagesPerSecond} messages a second`,
        'send fewer; what is over is dropped',
      );
    if (this.#refused >= REFUSED_MESSAGES) this.close(CLOSE_CODES.tooMany, 'too many messages');
  }

  async #subscribe({ run, position, from = 'cursor' }: Extract<ClientMessage, { type: 'subscribe' }>): Promise<void> {
    const before = this.#subscriptions.get(run);
    before?.end();
    if (!before && this.#subscriptions.size >= LIMITS.subscriptions) {
      this.error(
        'too-many-subscriptions',
        `a connection watches at most ${LIMITS.subscriptions} runs`,
        'unsubscribe from others first',
        { run },
      );
      return;
    }
    const subscription = this.#deps.hub.subscribe(run, this);
    this.#subscriptions.set(run, subscription);
    try {
      const cursor =
        position ?? (from === 'cursor' ? await this.#deps.cursors.get(this.identity.user, run) : undefined);
      await subscription.begin(cursor ?? (from === 'start' ? 'start' : undefined));
    } catch {
      subscription.fail({
        code: 'unavailable',
        message: 'the cursor cannot be read now',
        remedy: 'subscribe again in a while',
      });
    }
  }

  /** @returns whether it costs little */
  #ack(run: string, position: Position): boolean {
    // What was never sent cannot have been seen.
    if (!this.#subscriptions.get(run)?.reached(position)) return false;
    return this.#deps.cursors.move(this.identity.user, run, position);
  }

  async #renew(token: string): Promise<void> {
    const { tokens } = this.#deps;
    const { expiresAt } = this.principal;
    if (!tokens || expiresAt === undefined) {
      this.error('bad-message', 'this connection has no token', 'connect with one to renew it');
      return;
    }
    try {
      const principal = await tokens.verify(token);
      if (principal.userId !== this.principal.userId)
        throw new AuthError('the token is of another user', 'open a connection of its own for another user');
      if (principal.expiresAt < expiresAt)
        throw new AuthError('the token ends before the one there is', 'renew with a newer token');
      if (this.#ended) return;
      this.principal = principal;
      this.say({ type: 'renewed', expiresAt: principal.expiresAt });
      this.#deps.expires(this, principal.expiresAt);
      // It may see less now.
      for (const subscription of [...this.#subscriptions.values()]) subscription.check();
    } catch (error) {
      if (!(error instanceof AuthError)) throw error;
      this.error(error.code, error.message, error.remedy);
    }
  }

  async #request({ id, what, input }: Extract<ClientMessage, { type: 'request' }>): Promise<void> {
    if (this.#requests >= REQUESTS_AT_A_TIME) {
      this.error('too-many-messages', `${REQUESTS_AT_A_TIME} requests are under way`, 'wait for a reply first', { id });
      return;
    }
    this.#requests += 1;
    try {
      const reply = await this.#deps.request(this, what, input);
      if ('problem' in reply) this.error(reply.problem.code, reply.problem.message, reply.problem.remedy, { id });
      else this.say({ type: 'reply', id, ...reply });
    } finally {
      this.#requests -= 1;
    }
  }

  say(message: ServerMessage): void {
    this.#send(messageOf(message));
  }

  error(code: ErrorCode, message: string, remedy: string, about: { run?: string; id?: string } = {}): void {
    this.say({ type: 'error', code, message, remedy, ...about });
  }

  allowed(facts: RunFacts): boolean {
    return maySee(this.principal, facts);
  }

  begun(run: string, resume: Resume, snapshot: string | undefined): void {
    this.#send(subscribedMessage(run, resume, snapshot));
  }

  events(_run: string, batch: Batch): void {
    this.quiet = false;
    if (this.transport.limits.maxMessageBytes === undefined) this.transport.sendBatch(batch);
    else for (const { message } of batch.entries) this.#send(message);
  }

  /** The events themselves are in the log, and come from there; only that it keeps up at all is watched. */
  held(batch: Batch): void {
    const kept = keptOf(batch);
    this.#heldEvents += kept.events;
    this.#heldBytes += kept.bytes;
    if (this.#heldEvents > HELD_EVENTS || this.#heldBytes > HELD_BYTES)
      this.close(CLOSE_CODES.tooSlow, 'it took nothing for too long; nothing is lost: subscribe again');
  }

  failed(run: string, problem: Problem): void {
    this.#subscriptions.delete(run);
    this.error(problem.code, problem.message, problem.remedy, { run });
  }

  drained(): void {
    this.#heldEvents = 0;
    this.#heldBytes = 0;
    for (const subscription of this.#subscriptions.values()) subscription.drained();
  }

  close(code: number, reason: string): void {
    if (this.#ended) return;
    this.transport.close(code, reason);
    this.closed();
  }

  /** The connection has ended, by whomever. */
  closed(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const subscription of this.#subscriptions.values()) subscription.end();
    this.#subscriptions.clear();
    this.#deps.closed(this);
  }

  #send(message: Message): void {
    this.quiet = false;
    const { maxMessageBytes } = this.transport.limits;
    if (maxMessageBytes === undefined || message.frame.length - message.header <= maxMessageBytes) {
      this.transport.send(message);
      return;
    }
    this.#parts += 1;
    for (const part of partsOf(message, String(this.#parts), maxMessageBytes)) this.transport.send(part);
  }
}
