/** The sample order under time skipping: what its buyer sees by each route, a payment that fails, the same order twice. */
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ORDER_STEPS, workflowIdOf } from '../../workflows/order/model.ts';
import { ROUTES } from '../../workflows/progress/model.ts';
import { createSampleWorld, createUser } from '../support/sample-world.ts';
import { openTimeSkipping, withWorkers } from '../support/time-skipping.ts';

let env: TestWorkflowEnvironment;
beforeAll(async () => {
  env = await openTimeSkipping();
});
afterAll(() => env.teardown());

const NAMES = ORDER_STEPS.map(({ name }) => name);

async function send(input: Record<string, unknown>, world = createSampleWorld(), userId = 'buyer-of-something') {
  return withWorkers(env, world.queues, async () => {
    const user = createUser(env.client, userId);
    const reply = await user.request('order.send', { stepMs: 1, ...input });
    const handle = env.client.workflow.getHandle(reply.run ?? '');
    const ended: unknown = await handle.result().catch((error: Error) => error);
    const { events } = await handle.fetchHistory();
    const picture = await world.log.snapshot(reply.run ?? '');
    if (!picture) throw new Error('nothing was told');
    return { world, user, reply, ended, picture, told: await world.events(picture.run), history: events?.length ?? 0 };
  });
}

describe.each(ROUTES)('by the route %s', (route) => {
  it('each step is told of, in its order, to the end', async () => {
    const { world, reply, ended, picture, told, history } = await send({ orderId: `by-${route}`, route, stepMs: 50 });
    expect(reply).toEqual({ run: workflowIdOf(`by-${route}`), output: { outcome: 'started', attempt: 1 } });
    expect(ended).toMatchObject({ orderId: `by-${route}`, parcel: expect.stringMatching(/^LH[0-9A-F]{10}$/) });
    expect(picture).toMatchObject({ domain: 'order', owner: 'buyer-of-something', status: 'COMPLETE', percent: 100 });
    expect(picture.consumer).toBeUndefined();
    expect(picture.steps.map(({ name, state }) => [name, state])).toEqual(NAMES.map((name) => [name, 'SUCCEEDED']));
    const said = told.flatMap(({ message }) => message ?? []);
    expect(said).toContain(route === 'activity' ? 'Payment has begun (step 3 of 5)' : '🥁 Workflow started');
    expect(world.routes[route]).toBeGreaterThan(0);
    for (const other of ROUTES) if (other !== route) expect(world.routes[other]).toBe(0);
    expect(history).toBeLessThan(route === 'direct' ? 70 : 200);
  });
});

it('an order is a tenth done when it has begun', async () => {
  const world = createSampleWorld();
  const { told } = await send({ orderId: 'tenth', stepMs: 200 }, world);
  const { RunPicture } = await import('../../workflows/progress/picture.ts');
  const picture = RunPicture.empty('order/tenth', { domain: 'order' }, 'e', 0);
  const percents = told.map((event) => {
    picture.apply(event);
    return Math.round(picture.snapshot().percent ?? 0);
  });
  expect([...new Set(percents)]).toEqual([0, 10, 30, 55, 80, 100]);
});

it('a declined payment fails the order, which may be sent again with another one', async () => {
  const world = createSampleWorld();
  const first = await send({ orderId: 'poor', payment: 'declined' }, world);
  expect(first.ended).toBeInstanceOf(Error);
  expect(first.picture).toMatchObject({
    status: 'FAILED',
    attempt: 1,
    error: { type: 'PaymentDeclinedError', message: expect.stringContaining('send it again') },
  });
  expect(first.picture.steps.map(({ state }) => state)).toEqual([
    'SUCCEEDED',
    'SUCCEEDED',
    'FAILED',
    'CANCELLED',
    'CANCELLED',
  ]);
  const second = await send({ orderId: 'poor' }, world);
  expect(second.reply.output).toEqual({ outcome: 'started', attempt: 2 });
  expect(second.picture).toMatchObject({ status: 'COMPLETE', attempt: 2, percent: 100 });
  expect(second.picture.error).toBeUndefined();
});

it('a payment provider that is down for a moment is asked again', async () => {
  const { ended, picture } = await send({ orderId: 'moment', payment: 'unreachable-once' });
  expect(ended).toMatchObject({ orderId: 'moment' });
  expect(picture.status).toBe('COMPLETE');
});

it('the same order twice, at once and afterwards, is one order; that of somebody else is refused', async () => {
  const world = createSampleWorld();
  await withWorkers(env, world.queues, async () => {
    const user = createUser(env.client, 'double-clicker-1');
    const replies = await Promise.all(
      [1, 2, 3].map(() => user.request('order.send', { orderId: 'twice', stepMs: 20 })),
    );
    expect(replies.map(({ output }) => (output as { outcome: string }).outcome).sort()).toEqual([
      'existing',
      'existing',
      'started',
    ]);
    await env.client.workflow.getHandle('order/twice').result();
    expect((await user.request('order.send', { orderId: 'twice' })).output).toEqual({
      outcome: 'existing',
      attempt: 1,
    });
    await expect(
      createUser(env.client, 'somebody-else-12').request('order.send', { orderId: 'twice' }),
    ).rejects.toThrow('there is an order of this id by somebody else');
  });
  expect((await world.events('order/twice')).filter(({ kind }) => kind === 'end')).toHaveLength(1);
});

it.each([
  [{ orderId: '../etc' }, 'the field orderId cannot be used'],
  [{}, 'the field orderId cannot be used'],
  [null, 'the field orderId cannot be used'],
  [[], 'the input cannot be used'],
  ['x'.repeat(1_000), 'the input cannot be used'],
  [{ orderId: 'a', stepMs: -1 }, 'the field stepMs cannot be used'],
  [{ orderId: 'a', route: 'pigeon' }, 'the field route cannot be used'],
  [{ orderId: 'a', payment: 'later' }, 'the field payment cannot be used'],
  [{ orderId: 'a', owner: 'me' }, 'the field owner cannot be used'],
])('input that cannot be used is refused: %j', async (input, message) => {
  await expect(createUser(env.client, 'hostile-user-123').request('order.send', input)).rejects.toThrow(message);
});
