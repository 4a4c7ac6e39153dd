/**
 * The live client's state machine against a network that does what it likes.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LiveError } from '../../clients/live/client-types.ts';
import { CLOSE_CODES, type Resume } from '../../clients/live/protocol.ts';
import type { Position, ProgressEvent } from '../../workflows/progress/model.ts';
import { createModelGateway, type Wire } from '../support/model-gateway.ts';

const RUN = 'order/1';

/** Watches and checks at every step that nothing is missing, twice or out of order. */
function follow(gateway: ReturnType<typeof createModelGateway>, from: 'start' | 'now' = 'start') {
  const told: ProgressEvent[] = [];
  const resumes: Resume[] = [];
  let place: Position | undefined;
  const watch = gateway.core.watch(RUN, {
    from,
    onResume(resume) {
      resumes.push(resume);
      if ('position' in resume) {
        if (place) expect(resume.position).toEqual(place);
        place = resume.position;
      } else if (resume.snapshot) {
        const { epoch, seq } = resume.snapshot;
        if (resume.verdict === 'gap' && place) expect(resume.from).toBe(place.seq + 1);
        if (place?.epoch === epoch) expect(seq).toBeGreaterThan(place.seq);
        place = { epoch, seq };
      }
    },
    onEvent(event, position) {
      told.push(event);
      expect(position).toEqual({ epoch: place?.epoch, seq: event.seq });
      expect(event.seq - (event.merged ?? 1)).toBe(place?.seq);
      place = position;
    },
  });
  return { watch, told, resumes, place: () => place };
}

/** What may happen, at the connection of that number of those there are. */
const action = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      progress: fc.boolean(),
      times: fc.integer({ min: 1, max: 5 }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('deliver' as const),
      wire: fc.nat(3),
      times: fc.integer({ min: 1, max: 6 }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('serve' as const), wire: fc.nat(3), times: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 40_000 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('cut' as const),
      wire: fc.nat(3),
      code: fc.constantFrom(1006, 1001, 4300, 4403, 4408, 4429),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('rotate' as const, 'merge' as const, 'lose' as const),
      wire: fc.nat(3),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('wake' as const, 'online' as const, 'hide' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reachable' as const), is: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('trim' as const, 'purge' as const), keep: fc.nat(5) }) },
);
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

function act(gateway: ReturnType<typeof createModelGateway>, what: Action): void {
  const wires = [...gateway.wires.values()];
  const wire: Wire | undefined = 'wire' in what ? wires[what.wire % Math.max(1, wires.length)] : undefined;
  const times = 'times' in what ? what.times : 1;
  for (let round = 0; round < times; round++) {
    if (what.do === 'append') gateway.append(what.progress ? 'progress' : 'data');
    else if (what.do === 'deliver' && wire) gateway.deliver(wire);
    else if (what.do === 'serve' && wire) gateway.serve(wire);
    else if (what.do === 'merge' && wire) gateway.merge(wire);
    else if (what.do === 'cut' && wire) gateway.cut(wire, what.code);
    else if (what.do === 'rotate' && wire) wire.toClient.push({ type: 'rotate', by: gateway.now() + 30_000 });
    // A gateway with a fault: the client must notice.
    else if (what.do === 'lose' && wire?.toClient[0]?.type === 'event') wire.toClient.shift();
    else if (what.do === 'advance') gateway.advance(what.ms);
    else if (what.do === 'wake') gateway.core.wake(false);
    else if (what.do === 'online') gateway.core.wake(true);
    else if (what.do === 'hide') gateway.core.hide();
    else if (what.do === 'reachable') gateway.options.reachable = what.is;
    else if (what.do === 'trim') gateway.trim(what.keep);
    else if (what.do === 'purge') gateway.purge();
  }
}

describe('whatever connections do', () => {
  it('each event is delivered once and in order, and what was delivered is acknowledged', () => {
    fc.assert(
      fc.property(fc.array(action, { minLength: 1, maxLength: 120 }), fc.integer(), (actions, seed) => {
        let random = seed >>> 0;
        const gateway = createModelGateway(() => {
          random = (random * 1_664_525 + 1_013_904_223) >>> 0;
          return random / 2 ** 32;
        });
        const watcher = follow(gateway);
        gateway.core.connect();
        for (const what of actions) {
          act(gateway, what);
          const place = watcher.place();
          for (const ack of gateway.acked) {
            if (place && ack.epoch === place.epoch) expect(ack.seq).toBeLessThanOrEqual(place.seq);
          }
        }
        gateway.append('data');
        gateway.settle();
        expect(watcher.place()).toEqual(gateway.position);
        expect(gateway.acked.at(-1)).toEqual(gateway.position);
        expect(gateway.wires.size).toBe(1);
        expect(gateway.core.state).toBe('open');
      }),
      { numRuns: 1500 },
    );
  });
});

const openWire = (gateway: ReturnType<typeof createModelGateway>, id: number): Wire => {
  const wire = gateway.wires.get(id);
  if (!wire) throw new Error(`there is no connection ${id}, but ${[...gateway.wires.keys()].join(', ')}`);
  return wire;
};

function connected() {
  const gateway = createModelGateway();
  gateway.core.connect();
  gateway.deliver(openWire(gateway, 1));
  return gateway;
}

describe('reconnecting', () => {
  it('waits longer from failure to failure, at random, and not for ever', () => {
    const gateway = createModelGateway(() => 1);
    gateway.options.reachable = false;
    gateway.core.connect();
    const waits: number[] = [];
    for (let attempt = 1; attempt <= 9; attempt++) {
      gateway.cut(openWire(gateway, attempt));
      waits.push((gateway.core.due() ?? 0) - gateway.now());
      gateway.advance(waits.at(-1) ?? 0);
    }
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    expect(createModelGateway(() => 0).core.state).toBe('connecting');
  });

  it('begins at once when the gateway goes away, and only once when the next goes away as well', () => {
    const gateway = connected();
    gateway.advance(6_000);
    gateway.cut(openWire(gateway, 1), CLOSE_CODES.goingAway);
    gateway.advance(0);
    gateway.deliver(openWire(gateway, 2));
    gateway.cut(openWire(gateway, 2), CLOSE_CODES.goingAway);
    gateway.advance(0);
    expect(gateway.wires.size).toBe(0);
    gateway.advance(1_000);
    expect(gateway.wires.size).toBe(1);
  });

  it('reads the old connection until the new one tells of everything', () => {
    const gateway = connected();
    const watcher = follow(gateway);
    const first = openWire(gateway, 1);
    gateway.serve(first);
    gateway.deliver(first);
    first.toClient.push({ type: 'rotate', by: gateway.now() + 60_000 });
    gateway.deliver(first);
    gateway.advance(0);
    const second = openWire(gateway, 2);
    gateway.append('data');
    gateway.deliver(first);
    expect(watcher.told).toHaveLength(1);
    gateway.deliver(second);
    gateway.append('data');
    gateway.deliver(first);
    expect(watcher.told).toHaveLength(2);
    gateway.serve(second);
    gateway.deliver(second);
    expect([...gateway.wires.keys()]).toEqual([2]);
    expect(gateway.states).toEqual(['connecting', 'open']);
    expect(watcher.resumes.map(({ verdict }) => verdict)).toEqual(['current', 'current']);
  });

  it('leaves a connection that says nothing for two heartbeats', () => {
    const gateway = connected();
    gateway.advance(10_000);
    expect(openWire(gateway, 1).toGateway).toEqual([{ type: 'ping' }]);
    gateway.advance(10_000);
    expect(gateway.wires.has(1)).toBe(false);
  });

  it('is not held up by a connection that never opens', () => {
    const gateway = createModelGateway();
    gateway.options.reachable = false;
    gateway.core.connect();
    gateway.options.reachable = true;
    gateway.advance(16_000);
    gateway.deliver(openWire(gateway, 2));
    expect(gateway.core.state).toBe('open');
  });

  it('tries at once when the network is there again', () => {
    const gateway = connected();
    gateway.cut(openWire(gateway, 1));
    expect(gateway.core.state).toBe('offline');
    gateway.core.wake(false);
    expect(gateway.core.state).toBe('connecting');
  });
});

describe('being refused', () => {
  it('ends it, without hammering', async () => {
    const gateway = connected();
    const request = gateway.core.request('order.send', {});
    gateway.cut(openWire(gateway, 1), CLOSE_CODES.unauthorized);
    expect(gateway.core.state).toBe('closed');
    expect(gateway.core.due()).toBeUndefined();
    expect(gateway.errors.map(({ code }) => code)).toEqual(['unauthorized']);
    await expect(request).rejects.toThrow(/does not take this identity/);
    expect(() => gateway.core.watch(RUN, {})).toThrow(LiveError);
  });

  it('of a run ends its watch only', () => {
    const gateway = connected();
    const refused: string[] = [];
    gateway.core.watch('launch/of-others', { onError: ({ code }) => refused.push(code) });
    const { toClient, toGateway } = openWire(gateway, 1);
    toGateway.length = 0;
    toClient.push({ type: 'error', code: 'forbidden', message: 'no', remedy: '', run: 'launch/of-others' });
    gateway.deliver(openWire(gateway, 1));
    expect(refused).toEqual(['forbidden']);
    expect(gateway.core.state).toBe('open');
  });

  it('of a run that nobody knows yet is asked again for a while', () => {
    const gateway = connected();
    const refused: string[] = [];
    gateway.core.watch('order/2', { patienceMs: 900, onError: ({ code }) => refused.push(code) });
    const wire = openWire(gateway, 1);
    const refuse = () => {
      wire.toGateway.length = 0;
      wire.toClient.push({ type: 'error', code: 'not-found', message: 'no', remedy: '', run: 'order/2' });
      gateway.deliver(wire);
    };
    refuse();
    gateway.advance(500);
    expect(wire.toGateway).toEqual([{ type: 'subscribe', run: 'order/2' }]);
    gateway.advance(500);
    refuse();
    expect(refused).toEqual(['not-found']);
  });
});

describe('requests', () => {
  it('are asked again over the next connection until they are answered, and once', async () => {
    const gateway = createModelGateway();
    const reply = gateway.core.request('order.send', { orderId: '1' });
    gateway.core.connect();
    gateway.deliver(openWire(gateway, 1));
    expect(openWire(gateway, 1).toGateway).toHaveLength(1);
    gateway.cut(openWire(gateway, 1));
    gateway.settle();
    await expect(reply).resolves.toEqual({ run: 'order/1', output: 'order.send' });
    expect(gateway.seen.requests).toEqual(['order.send']);
  });

  it('end when nobody answers', async () => {
    const gateway = createModelGateway();
    gateway.options.reachable = false;
    const reply = gateway.core.request('order.send', {});
    gateway.core.connect();
    gateway.advance(31_000);
    await expect(reply).rejects.toThrow('no answer within 30 s');
  });
});

describe('messages', () => {
  it('in parts are joined; a part that is missing ends the connection', () => {
    const gateway = connected();
    const watcher = follow(gateway, 'now');
    const wire = openWire(gateway, 1);
    gateway.serve(wire);
    const text = JSON.stringify(wire.toClient.shift());
    const half = text.length >> 1;
    const part = (index: number, text: string) => ({ type: 'part', id: 'a', index, count: 2, text }) as const;
    wire.toClient.push(part(0, text.slice(0, half)), part(1, text.slice(half)), part(1, ''));
    gateway.deliver(wire);
    expect(watcher.resumes).toHaveLength(0);
    gateway.deliver(wire);
    expect(watcher.resumes.map(({ verdict }) => verdict)).toEqual(['fresh']);
    gateway.deliver(wire);
    expect(gateway.wires.has(1)).toBe(false);
  });

  it('that are no JSON end the connection, those of a newer gateway do not', () => {
    const gateway = connected();
    gateway.core.heard(1, '{"type":"fireworks"}');
    expect(gateway.wires.has(1)).toBe(true);
    gateway.core.heard(1, '{"type":');
    expect(gateway.wires.has(1)).toBe(false);
  });

  it('of acknowledgement are merged for a quarter of a second', () => {
    const gateway = connected();
    follow(gateway);
    const wire = openWire(gateway, 1);
    gateway.serve(wire);
    for (let count = 0; count < 20; count++) gateway.append('data');
    while (wire.toClient.length > 0) gateway.deliver(wire);
    gateway.advance(249);
    expect(wire.toGateway).toEqual([]);
    gateway.advance(1);
    expect(wire.toGateway).toEqual([{ type: 'ack', run: RUN, position: gateway.position }]);
  });
});

describe('a token', () => {
  it('is renewed before it runs out, and asked for again when there is none yet', () => {
    const gateway = connected();
    const wire = openWire(gateway, 1);
    wire.toClient.push({ type: 'tokenExpires', at: gateway.now() + 8_000 });
    gateway.deliver(wire);
    gateway.advance(3_999);
    expect(gateway.seen.tokensAsked).toBe(0);
    gateway.advance(1);
    expect(gateway.seen.tokensAsked).toBe(1);
    gateway.core.renew(undefined);
    gateway.advance(5_000);
    expect(gateway.seen.tokensAsked).toBe(2);
    gateway.core.renew('fresh');
    expect(wire.toGateway).toEqual([{ type: 'renew', token: 'fresh' }]);
  });
});
