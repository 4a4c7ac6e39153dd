/** Gateways are told of new events: together, never in the way of anything, and only with the key. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { announceGateway } from '../../lib/progress/announce.ts';
import { createNudger, type NudgerOptions } from '../../lib/progress/nudge.ts';
import { NUDGE_LIMITS, NUDGE_PATH, type Nudge, parseNudges } from '../../lib/progress/nudges.ts';
import type { GatewayTable } from '../../lib/store/gateways.ts';
import type { ProgressEvent } from '../../workflows/progress/model.ts';

const KEY = 'a key of gateways';
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

interface Gateway {
  url: string;
  requests: {
    nudges: Nudge[];
    authorization: string | undefined;
    socket: IncomingMessage['socket'];
    path: string | undefined;
  }[];
}

async function openGateway(
  answer: (response: ServerResponse, request: number) => void = (response) => response.writeHead(204).end(),
): Promise<Gateway> {
  const requests: Gateway['requests'] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => {
      const { authorization } = request.headers;
      requests.push({
        nudges: parseNudges(JSON.parse(body)),
        authorization,
        socket: request.socket,
        path: request.url,
      });
      answer(response, requests.length);
    });
  }).listen(0, '127.0.0.1');
  servers.push(server);
  await new Promise((resolve) => server.once('listening', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

function open(urls: string[], more: Partial<NudgerOptions> = {}) {
  const warnings: string[] = [];
  const lists: number[] = [];
  const nudger = createNudger({
    gateways: {
      list: async (now) => {
        lists.push(now);
        return urls;
      },
    },
    key: KEY,
    warn: (message) => warnings.push(message),
    ...more,
  });
  return { nudger, warnings, lists };
}

const event = (seq: number, more: Partial<ProgressEvent> = {}): ProgressEvent => ({
  seq,
  kind: 'progress',
  source: { name: 'workflow', attempt: 1 },
  at: seq,
  ...more,
});
const nudge = (run: string, ...seqs: number[]): Nudge => ({ run, epoch: 'e', events: seqs.map((seq) => event(seq)) });

describe('gateways', () => {
  it('are all told, with the key, over a connection that is kept', async () => {
    const gateways = await Promise.all([openGateway(), openGateway()]);
    const { nudger, lists } = open(gateways.map(({ url }) => url));
    const seqs = Array.from({ length: 12 }, (_, index) => index + 1);
    for (const seq of seqs) {
      nudger.nudge(nudge('a', seq));
      await nudger.idle();
    }

    for (const { requests } of gateways) {
      expect(requests.map(({ nudges }) => nudges)).toEqual(seqs.map((seq) => [nudge('a', seq)]));
      expect(requests.map(({ authorization, path }) => [authorization, path])).toEqual(
        seqs.map(() => [`Bearer ${KEY}`, NUDGE_PATH]),
      );
      expect(new Set(requests.map(({ socket }) => socket)).size).toBeLessThanOrEqual(3);
    }
    expect(lists).toHaveLength(1);
  });

  it('have one request at a time: what comes meanwhile goes together', async () => {
    let first: ServerResponse | undefined;
    const gateway = await openGateway((response, request) => {
      if (request === 1) first = response;
      else response.writeHead(204).end();
    });
    const { nudger } = open([gateway.url], { patienceMs: 20_000 });
    nudger.nudge(nudge('a', 1));
    await expect.poll(() => first).toBeDefined();
    for (let seq = 2; seq <= 40; seq += 1) nudger.nudge(nudge('a', seq));
    nudger.nudge(nudge('b', 1, 2));
    // A gap: the gateway finds what is between by itself.
    nudger.nudge(nudge('b', 4));
    nudger.nudge({ run: 'c', epoch: 'e', events: [] });
    nudger.nudge(nudge('c', 5));
    await Promise.resolve();
    first?.writeHead(204).end();
    await nudger.idle();

    expect(gateway.requests.map(({ nudges }) => nudges)).toEqual([
      [nudge('a', 1)],
      [
        nudge('a', ...Array.from({ length: 39 }, (_, index) => index + 2)),
        { run: 'b', epoch: 'e', events: [], seq: 4 },
        { run: 'c', epoch: 'e', events: [], seq: 5 },
      ],
    ]);
  });

  it('get no events that are large, and no body that is', async () => {
    const gateway = await openGateway();
    const { nudger } = open([gateway.url]);
    nudger.nudge({ run: 'a', epoch: 'e', events: [event(1, { data: 'x'.repeat(NUDGE_LIMITS.eventBytes) })] });
    for (let run = 0; run < 150; run += 1)
      nudger.nudge({ run: `r${run}`, epoch: 'e', events: [event(1, { data: 'x'.repeat(20_000) })] });
    await nudger.idle();
    const nudges = gateway.requests.flatMap((request) => request.nudges);

    expect(nudges[0]).toEqual({ run: 'a', epoch: 'e', events: [], seq: 1 });
    expect(nudges).toHaveLength(151);
    expect(gateway.requests.length).toBeGreaterThan(5);
    for (const request of gateway.requests)
      expect(JSON.stringify(request.nudges).length).toBeLessThan(NUDGE_LIMITS.bodyBytes);
  });

  it('that hang, refuse or are gone harm nobody else, and are warned about once a minute', async () => {
    const hanging = await openGateway(() => {});
    const refusing = await openGateway((response) => response.writeHead(401).end());
    const good = await openGateway();
    const gone = await openGateway();
    servers.pop()?.close();
    let now = 1_000_000;
    const { nudger, warnings } = open([hanging.url, refusing.url, gone.url, good.url], {
      now: () => now,
      patienceMs: 50,
    });
    for (let seq = 1; seq <= 3; seq += 1) {
      nudger.nudge(nudge('a', seq));
      await nudger.idle();
    }
    expect(good.requests).toHaveLength(3);
    expect(warnings).toHaveLength(1);
    now += 60_001;
    nudger.nudge(nudge('a', 4));
    await nudger.idle();

    expect(warnings).toHaveLength(2);
    expect(warnings.join()).not.toContain(KEY);
  });

  it('that redirect do not get others the key', async () => {
    const other = await openGateway();
    const redirecting = await openGateway((response) => response.writeHead(307, { location: other.url }).end());
    const { nudger, warnings } = open([redirecting.url]);
    nudger.nudge(nudge('a', 1));
    await nudger.idle();

    expect(other.requests).toEqual([]);
    expect(warnings).toHaveLength(1);
  });

  it('are listed anew after a while, and those there were are told while the table is down', async () => {
    const [one, two] = await Promise.all([openGateway(), openGateway()]);
    let now = 1_000_000;
    let urls: string[] | undefined = [one.url];
    const { nudger, warnings } = open([], {
      now: () => now,
      gateways: {
        list: async () => {
          if (!urls) throw new Error('table is down');
          return urls;
        },
      },
    });
    const tell = async (seq: number) => {
      nudger.nudge(nudge('a', seq));
      await nudger.idle();
      now += 3_001;
    };
    await tell(1);
    urls = undefined;
    await tell(2);
    urls = [two.url];
    // By this one the list is looked up, by the next one it is used for sure.
    await tell(3);
    await tell(4);

    expect(one.requests.map(({ nudges }) => nudges[0]?.events[0]?.seq)).toEqual(expect.arrayContaining([1, 2]));
    expect(one.requests.length).toBeLessThan(4);
    expect(two.requests.map(({ nudges }) => nudges[0]?.events[0]?.seq)).toContain(4);
    expect(warnings).toEqual([expect.stringContaining('table is down')]);
  });

  it('are not even looked for without a key', async () => {
    const gateway = await openGateway();
    const { nudger, lists } = open([gateway.url], { key: '' });
    nudger.nudge(nudge('a', 1));
    await nudger.idle();

    expect([lists, gateway.requests]).toEqual([[], []]);
  });
});

describe('a gateway that makes itself known', () => {
  const memory = () => {
    const entered = new Map<string, { url: string; expiresAt: number }>();
    const table: GatewayTable = {
      enter: async (id, url, expiresAt) => void entered.set(id, { url, expiresAt }),
      leave: async (id) => void entered.delete(id),
      list: async () => [...entered.values()].map(({ url }) => url),
    };
    return { table, entered };
  };

  it('stands there for 30 s, until it withdraws', async () => {
    const { table, entered } = memory();
    const announcement = await announceGateway({
      table,
      id: 'g1',
      url: 'http://10.0.0.7:8080/',
      warn: expect.unreachable,
      now: () => 5_000,
    });
    expect([...entered]).toEqual([['g1', { url: 'http://10.0.0.7:8080', expiresAt: 35 }]]);
    await announcement.withdraw();
    expect(entered.size).toBe(0);
  });

  it('runs on when the table cannot be used, and says so', async () => {
    const warnings: string[] = [];
    const down = async () => {
      throw new Error('table is down');
    };
    const announcement = await announceGateway({
      table: { ...memory().table, enter: down, leave: down },
      id: 'g1',
      url: 'http://127.0.0.1:1',
      warn: (message) => warnings.push(message),
    });
    await announcement.withdraw();

    expect(warnings).toHaveLength(2);
  });

  it.each(['ftp://host', 'http://user:secret@host', 'http://host?token=x', 'nonsense'])(
    'has an address that can be used: not %s',
    async (url) => {
      await expect(announceGateway({ table: memory().table, id: 'g', url, warn: () => {} })).rejects.toThrow();
    },
  );
});
