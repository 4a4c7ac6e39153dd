/**
 * What a session does for a transport with limits of its own: parts, rotation, heartbeats; and how messages are framed.
 *
 * @module
 */
import type { Writable } from 'node:stream';
import fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import * as ws from 'ws';
import { spend } from '../../clients/gateway/live/allowance.ts';
import { Deadlines } from '../../clients/gateway/live/deadlines.ts';
import { Hub } from '../../clients/gateway/live/hub.ts';
import {
  type Batch,
  joinedOf,
  type Message,
  messageOfText,
  partsOf,
  textOf,
} from '../../clients/gateway/live/message.ts';
import { createSessions } from '../../clients/gateway/live/sessions.ts';
import type { Transport, TransportLimits } from '../../clients/gateway/live/transport.ts';
import { CLOSE_CODES, type ServerMessage } from '../../clients/live/protocol.ts';
import { tell } from '../support/gateway.ts';
import { createMemoryLog } from '../support/memory-log.ts';
import { createMemoryConnections, createMemorySessions } from '../support/memory-sessions.ts';

const RUN = 'launch/run-1';
/** Its types leave it out. */
const { Receiver } = ws as unknown as { Receiver: new (options: { isServer: boolean }) => Writable };

/** Puts parts together again, as a client has to. */
function whole(messages: readonly ServerMessage[]): ServerMessage[] {
  const texts: string[] = [];
  return messages.flatMap((message) => {
    if (message.type !== 'part') return [message];
    texts.push(message.text);
    if (message.index + 1 < message.count) return [];
    return [JSON.parse(texts.splice(0).join('')) as ServerMessage];
  });
}

function open(limits: TransportLimits) {
  let now = 1_000_000_000;
  const log = createMemoryLog();
  const logger = pino({ level: 'silent' });
  const hub = new Hub({ reader: log, log: logger, now: () => now });
  log.onAppend = (run, { epoch, events }) => hub.told(run, epoch, events);
  const live = createSessions({
    gateway: 'g',
    hub,
    connections: createMemoryConnections(),
    sessions: createMemorySessions(),
    log: logger,
    now: () => now,
  });
  const sent: Message[] = [];
  const closes: number[] = [];
  const pings: number[] = [];
  let terminated = false;
  const transport: Transport & { alive: boolean; full: boolean } = {
    limits,
    full: false,
    alive: true,
    send: (message) => void sent.push(message),
    sendBatch: (batch: Batch) => void sent.push(...batch.entries.map(({ message }) => message)),
    ping() {
      pings.push(now);
      transport.alive = false;
    },
    close: (code) => void closes.push(code),
    terminate() {
      terminated = true;
    },
  };
  const session = live.open(
    {
      userId: 'ada',
      user: { userId: 'token#ada', subject: 'ada' },
      principal: { userId: 'ada', role: 'viewer', consumers: '*' },
      session: 'new',
    },
    transport,
  );
  return {
    log,
    live,
    session,
    transport,
    sent,
    closes,
    pings,
    isTerminated: () => terminated,
    messages: () => sent.map((message) => JSON.parse(textOf(message)) as ServerMessage),
    later(ms: number) {
      for (const until = now + ms; now < until; ) {
        now += 1_000;
        live.tick();
      }
    },
  };
}

describe('a message', () => {
  it('is a frame that a WebSocket reads, whatever its length', async () => {
    const lengths = [0, 1, 125, 126, 65_535, 65_536, 200_000];
    const receiver = new Receiver({ isServer: false });
    const got: string[] = [];
    receiver.on('message', (data: Buffer) => void got.push(data.toString()));
    const texts = lengths.map((length) => 'ä'.repeat(length / 2) + 'x'.repeat(length % 2));
    for (const text of texts) receiver.write(messageOfText(text).frame);
    await new Promise((resolve) => receiver.end(resolve));
    expect(got).toEqual(texts);
  });

  it('goes in parts that are short enough, and is whole again', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 6_000 }),
        fc.constantFrom('"', '\\', '€', '😀', '\u0000', 'x'),
        fc.integer({ min: 1_024, max: 2_000 }),
        (text, filling, most) => {
          const value = { type: 'reply', id: 'a', output: text + filling.repeat(3_000) };
          const parts = partsOf(messageOfText(JSON.stringify(value)), '12', most);
          for (const { frame, header } of parts) expect(frame.length - header).toBeLessThanOrEqual(most);
          const messages = parts.map((part) => JSON.parse(textOf(part)) as ServerMessage);
          expect(whole(messages)).toEqual([value]);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('a transport', () => {
  it('that takes short messages gets long ones in parts, in order', async () => {
    const rig = open({ maxMessageBytes: 4_096 });
    await tell(rig.log, RUN, 1, { message: 'x'.repeat(50_000) });
    rig.session.message(JSON.stringify({ type: 'subscribe', run: RUN }));
    await expect.poll(() => whole(rig.messages()).at(-1)).toMatchObject({ type: 'subscribed', verdict: 'fresh' });
    await tell(rig.log, RUN, 3, { kind: 'data', data: 'y'.repeat(9_000) });
    expect(rig.sent.every(({ frame, header }) => frame.length - header <= 4_096)).toBe(true);
    const events = whole(rig.messages()).filter(({ type }) => type === 'event');
    expect(events).toMatchObject([2, 3, 4].map((seq) => ({ event: { seq } })));
  });

  it('whose connections do not live long has its client open another one in time', () => {
    const rig = open({ maxLifeMs: 7_200_000 });
    rig.later(7_200_000 - 61_000);
    expect(rig.messages().map(({ type }) => type)).not.toContain('rotate');
    rig.later(2_000);
    expect(rig.messages()).toContainEqual({ type: 'rotate', by: 1_000_000_000 + 7_200_000 });
    expect(rig.closes).toEqual([]);
    rig.transport.alive = true;
    rig.later(60_000);
    expect(rig.closes).toEqual([CLOSE_CODES.rotate]);
  });

  it('that is silent hears something now and then, and is ended when nothing comes back', () => {
    const rig = open({});
    rig.later(25_000);
    expect(rig.pings).toHaveLength(1);
    expect(rig.messages().map(({ type }) => type)).toEqual(['welcome']);
    rig.transport.alive = true;
    rig.later(25_000);
    expect(rig.messages().map(({ type }) => type)).toEqual(['welcome', 'pong']);
    expect(rig.isTerminated()).toBe(false);
    rig.later(25_000);
    expect(rig.isTerminated()).toBe(true);
  });

  it('that is full is sent nothing, and what came meanwhile once it is not', async () => {
    const rig = open({});
    await tell(rig.log, RUN, 1);
    rig.session.message(JSON.stringify({ type: 'subscribe', run: RUN }));
    await expect.poll(() => rig.messages().at(-1)?.type).toBe('subscribed');
    rig.transport.full = true;
    await tell(rig.log, RUN, 5, { kind: 'progress' });
    await tell(rig.log, RUN, 1, { kind: 'end' });
    expect(rig.messages().at(-1)?.type).toBe('subscribed');
    rig.transport.full = false;
    rig.session.drained();
    expect(rig.messages().slice(-2)).toMatchObject([
      { event: { kind: 'progress', merged: 5, seq: 6 } },
      { event: { kind: 'end', seq: 7 } },
    ]);
  });
});

describe('what many share', () => {
  it('is joined once', () => {
    const entries = [1, 2].map((seq) => ({ event: { seq } as never, message: messageOfText(String(seq)) }));
    const batch: Batch = { entries };
    expect(joinedOf(batch)).toBe(joinedOf(batch));
  });

  it('is allowed so often a second, whenever it is asked', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(500), { maxLength: 200 }), (pauses) => {
        const allowance = { left: 10, at: 0 };
        let now = 0;
        let allowed = 0;
        for (const pause of pauses) {
          now += pause;
          if (spend(allowance, 10, now)) allowed += 1;
        }
        expect(allowed).toBeLessThanOrEqual(10 + Math.ceil(now / 100));
        expect(spend(allowance, 10, now + 1_000)).toBe(true);
        // A clock that goes back gives nothing.
        expect(spend({ left: 0, at: 5_000 }, 10, 0)).toBe(false);
      }),
    );
  });

  it('is done at its time, also when the clock was asked late, and not when it was taken back', () => {
    const deadlines = new Deadlines(0);
    const done: string[] = [];
    deadlines.at(1_500, () => done.push('a'));
    const back = deadlines.at(1_700, () => done.push('b'));
    deadlines.at(9_000, () => done.push('c'));
    deadlines.at(-5, () => done.push('past'));
    back();
    deadlines.tick(1_000);
    expect(done).toEqual(['past']);
    deadlines.tick(30_000);
    expect(done).toEqual(['past', 'a', 'c']);
  });
});
