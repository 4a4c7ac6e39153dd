/**
 * A gateway and a network as small as can be, in memory and on a clock that is moved by hand: what the live client's state
 * machine is tested against. Messages wait until they are delivered, and are lost with their connection.
 *
 * @module
 */
import type { LiveError, LiveState } from '../../clients/live/client-types.ts';
import { createCore } from '../../clients/live/core.ts';
import type { ClientMessage, Resume, ServerMessage } from '../../clients/live/protocol.ts';
import { type EventKind, isMergeable, type Position, type ProgressEvent } from '../../workflows/progress/model.ts';
import { mergeEvents, RunPicture } from '../../workflows/progress/picture.ts';

const HEARTBEAT_MS = 10_000;

export interface Wire {
  id: number;
  toClient: ServerMessage[];
  toGateway: ClientMessage[];
  /** Sequence told of last, of each run. */
  told: Map<string, number>;
  saidAt: number;
}

/** @param random 0 to 1, for the jitter */
export function createModelGateway(random: () => number = () => 0.5) {
  let time = 1_000_000;
  let epochs = 1;
  let log: ProgressEvent[] = [];
  let last = 0;
  const wires = new Map<number, Wire>();
  const acked: Position[] = [];
  const states: LiveState[] = [];
  const errors: LiveError[] = [];
  const seen = { requests: [] as string[], opened: 0, renewals: 0, tokensAsked: 0 };
  const options = { reachable: true, secretUsable: false };
  const epoch = () => `epoch-${epochs}`;
  const picture = () => {
    const one = RunPicture.empty('order/1', { domain: 'order' }, epoch(), time);
    for (const event of log) one.apply(event);
    return { ...one.snapshot(), seq: last };
  };

  const core = createCore(
    {
      now: () => time,
      random,
      open(id) {
        seen.opened += 1;
        const welcome = {
          type: 'welcome',
          connectionId: String(id),
          userId: 'somebody-who-watches',
          session: 'resumed',
          role: 'viewer',
          consumers: [],
          heartbeatMs: HEARTBEAT_MS,
        } as const;
        const wire: Wire = { id, toClient: [], toGateway: [], told: new Map(), saidAt: time };
        wires.set(id, wire);
        if (options.reachable) wire.toClient.push(welcome);
      },
      send(id, text) {
        wires.get(id)?.toGateway.push(JSON.parse(text) as ClientMessage);
      },
      close: (id) => wires.delete(id),
      fetchToken: () => {
        seen.tokensAsked += 1;
      },
      refused: () => options.secretUsable,
      onState: (state) => states.push(state),
      onWelcome: () => {},
      onError: (error) => errors.push(error),
    },
    { renewable: true },
  );

  function resumeAt(position: Position | undefined, from: string | undefined): { resume: Resume; after: number } {
    const first = log[0]?.seq ?? last + 1;
    const start = from === 'start' ? { epoch: epoch(), seq: 0 } : undefined;
    const place = position ?? start;
    if (!place) return { resume: { verdict: 'fresh', snapshot: picture() }, after: last };
    if (place.epoch !== epoch()) return { resume: { verdict: 'purged', snapshot: picture() }, after: last };
    if (place.seq + 1 < first)
      return { resume: { verdict: 'gap', from: place.seq + 1, to: first - 1, snapshot: picture() }, after: last };
    if (place.seq >= last) return { resume: { verdict: 'current', position: place }, after: last };
    return { resume: { verdict: 'replayed', position: place, count: last - place.seq }, after: place.seq };
  }

  function catchUp(wire: Wire): void {
    for (const [run, told] of wire.told) {
      for (const event of log) if (event.seq > told) wire.toClient.push({ type: 'event', run, event });
      wire.told.set(run, last);
    }
  }

  function serve(wire: Wire): void {
    const message = wire.toGateway.shift();
    if (!message) return;
    if (message.type === 'subscribe') {
      const { resume, after } = resumeAt(message.position, message.from);
      wire.toClient.push({ type: 'subscribed', run: message.run, ...resume });
      wire.told.set(message.run, after);
      catchUp(wire);
    } else if (message.type === 'unsubscribe') wire.told.delete(message.run);
    else if (message.type === 'ack') acked.push(message.position);
    else if (message.type === 'ping') wire.toClient.push({ type: 'pong' });
    else if (message.type === 'renew') seen.renewals += 1;
    else {
      seen.requests.push(message.what);
      wire.toClient.push({ type: 'reply', id: message.id, run: 'order/1', output: message.what });
    }
  }

  const gateway = {
    core,
    options,
    wires,
    acked,
    states,
    errors,
    seen,
    get position(): Position {
      return { epoch: epoch(), seq: last };
    },
    now: () => time,
    append(kind: EventKind): void {
      last += 1;
      log.push({ seq: last, kind, source: { name: 'workflow', attempt: 1 }, at: time, message: `event ${last}` });
      for (const wire of wires.values()) catchUp(wire);
    },
    /** Only the newest are kept. */
    trim(keep: number): void {
      log = log.slice(Math.max(0, log.length - keep));
    },
    /** The log is removed and begun anew. */
    purge(): void {
      epochs += 1;
      log = [];
      last = 0;
      for (const wire of wires.values()) {
        for (const run of wire.told.keys()) {
          wire.toClient.push({ type: 'subscribed', run, verdict: 'purged', snapshot: picture() });
          wire.told.set(run, 0);
        }
      }
    },
    serve,
    deliver(wire: Wire): void {
      const message = wire.toClient.shift();
      if (message) core.heard(wire.id, JSON.stringify(message));
    },
    /** Waiting progress is told as one event. */
    merge(wire: Wire): void {
      const events = wire.toClient.filter((message) => message.type === 'event');
      if (events.length !== wire.toClient.length || !events.some(({ event }) => isMergeable(event.kind))) return;
      wire.toClient = mergeEvents(events.map(({ event }) => event)).map((event) => ({
        type: 'event',
        run: 'order/1',
        event,
      }));
    },
    /** What waits is lost, and both sides learn of the end. */
    cut(wire: Wire, code = 1006): void {
      if (wires.delete(wire.id)) core.ended(wire.id, code);
    },
    /** The clock goes on, and whatever is due on the way is done when it is. */
    advance(ms: number): void {
      const end = time + ms;
      for (let due = core.due(); due !== undefined && due <= end; due = core.due()) {
        time = Math.max(time, due);
        core.tick();
      }
      time = end;
    },
    /** Nothing goes wrong any more. */
    settle(): void {
      options.reachable = true;
      for (let round = 0; round < 60; round++) {
        gateway.advance(1_000);
        for (let busy = true; busy; ) {
          busy = false;
          for (const wire of [...wires.values()]) {
            if (time - wire.saidAt >= HEARTBEAT_MS / 2 && wire.toClient.length === 0) {
              wire.saidAt = time;
              wire.toClient.push({ type: 'pong' });
            }
            if (wire.toClient.length + wire.toGateway.length > 0) busy = true;
            serve(wire);
            gateway.deliver(wire);
          }
        }
      }
    },
  };
  return gateway;
}
