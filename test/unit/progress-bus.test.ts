/** Progress over the bus: in order as far as it can be put, kept while the log is down, nothing held up by what is none. */
import { afterEach, expect, it } from 'vitest';
import { parseProgress } from '../../clients/events/parse-progress.ts';
import { BUS_DETAIL_TYPE, BUS_SOURCE, detailsOf } from '../../lib/progress/bus.ts';
import type { Report } from '../../workflows/progress/model.ts';
import { type BusWorld, openBusWorld } from '../support/bus-world.ts';
import { until } from '../support/stand-ins.ts';

const FACTS = { domain: 'order', consumer: 'lab-a' };
const report = (localSeq: number, more: Partial<Report> = {}): Report => ({
  kind: 'progress',
  source: { name: 'workflow', attempt: 1 },
  localSeq,
  at: localSeq,
  message: `m${localSeq}`,
  ...more,
});

/** As EventBridge wraps it. */
const envelope = (run: string, reports: Report[], more: object = {}) => {
  const [detail = ''] = detailsOf({ run, facts: FACTS, reports });
  return JSON.stringify({ source: BUS_SOURCE, 'detail-type': BUS_DETAIL_TYPE, detail: JSON.parse(detail), ...more });
};

let world: BusWorld;
afterEach(() => world?.close());

it('published reports arrive in the log, each once, however often they are published', async () => {
  world = await openBusWorld();
  void world.start();
  const reports = Array.from({ length: 60 }, (_, index) => report(index + 1, { message: 'x'.repeat(900) }));
  for (let time = 0; time < 2; time += 1)
    await world.activities.publishProgress({ run: 'order/1', facts: FACTS, reports });

  await world.drained();
  expect((await world.log.events('order/1')).map(({ at }) => at)).toEqual(reports.map(({ at }) => at));
  expect(await world.log.picture('order/1')).toMatchObject({ domain: 'order', consumer: 'lab-a', seq: 60 });
});

it('what overtook one another on the way is put in order', async () => {
  world = await openBusWorld();
  for (const localSeq of [3, 1, 2]) await world.send(envelope('order/1', [report(localSeq)]));
  void world.start();

  await world.drained();
  expect((await world.log.events('order/1')).map(({ message }) => message)).toEqual(['m1', 'm2', 'm3']);
});

it('messages are held while the log is down, and told when it is back', async () => {
  world = await openBusWorld(2);
  let down = true;
  world.log.before = () => {
    if (down) throw Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
  };
  void world.start();
  await world.send(envelope('order/1', [report(1)]));
  await until('it has been tried some times', () => {
    // Longer than a message is hidden, were it not held.
    world.kit.clock.advance(20_000);
    return world.log.batches.length >= 4;
  });
  down = false;

  await world.drained();
  expect(await world.log.events('order/1')).toHaveLength(1);
  expect(await world.dead()).toBe(0);
});

it('what is none, or can never be taken, goes to the dead-letter queue and holds nothing up', async () => {
  world = await openBusWorld(2);
  world.log.before = ({ reports }) => {
    if (reports.some(({ message }) => message === 'm2')) throw new Error('the log refuses it');
  };
  for (const body of ['not JSON', '{}', envelope('order/1', [report(9)], { source: 'other' })]) await world.send(body);
  for (const localSeq of [1, 2, 3]) await world.send(envelope('order/1', [report(localSeq)]));
  void world.start();

  await world.drained();
  expect((await world.log.events('order/1')).map(({ message }) => message)).toEqual(['m1', 'm3']);
  expect(await world.dead()).toBe(4);
});

it('a queue that is not there ends the consumer with a remedy', async () => {
  world = await openBusWorld();

  await expect(world.start('no-such-queue')).rejects.toThrow('create it, or set LONGHAUL_PROGRESS_QUEUE');
});

it.each([
  ['not JSON', 'x'],
  ['no event', 'null'],
  ['no event', '[]'],
  ['no event', JSON.stringify({ source: BUS_SOURCE, 'detail-type': 'Other' })],
  ['detail', JSON.stringify({ source: BUS_SOURCE, 'detail-type': BUS_DETAIL_TYPE })],
  ['run', JSON.stringify({ source: BUS_SOURCE, 'detail-type': BUS_DETAIL_TYPE, detail: { version: 1 } })],
])('a message that cannot be used says what is wrong: %s', (what, body) => {
  const parsed = parseProgress(body);
  expect('poison' in parsed && parsed.poison).toContain(what);
});
