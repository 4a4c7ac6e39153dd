/** Asking stories to end: what may be cancelled, what is said of the others, and who may ask by the API. */
import { ApplicationFailure } from '@temporalio/common';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Principal } from '../../clients/gateway/principal.ts';
import { cancelStory } from '../../clients/story/cancel.ts';
import type { StoryRecord } from '../../lib/story/document.ts';
import type { StoryStatus } from '../../workflows/story/model.ts';
import { openApi } from '../support/api-app.ts';
import { memoryWorld } from '../support/steering-world.ts';
import { beginningOf } from '../support/story-world.ts';

const NOW = Date.parse('2026-11-26T20:00:00Z');
const NIGHT = '2026-11-26';
const ID = `moon/${NIGHT}`;
const WHICH = { family: 'moon', night: NIGHT };

let world: ReturnType<typeof memoryWorld>;
beforeEach(() => {
  world = memoryWorld();
});

/** As far as its item knows; its record only once it has ended. */
function kept(status: StoryStatus): StoryRecord {
  const { item, record } = beginningOf(NOW, { ...WHICH, status });
  const ended = !['WRITING', 'READY'].includes(status);
  const known: StoryRecord = { ...record, status: ended ? status : 'WRITING', ...(ended && { settled: true }) };
  world.kept.items.set(ID, item);
  world.kept.records.push(known);
  return known;
}
const running = () => world.kept.workflows.set(`story/${ID}`, {}).get(`story/${ID}`);
const failed = () =>
  world.kept.workflows.set(`story/${ID}`, { failure: ApplicationFailure.nonRetryable('x', 'StoryLimitError') });

describe('a story', () => {
  it.each(['WRITING', 'READY'] as const)(
    'that is %s is asked to end, and that is said as it was before',
    async (status) => {
      kept(status);
      const workflow = running();

      expect(await cancelStory(world, WHICH, NOW)).toEqual({ outcome: 'requested', status });
      expect(workflow).toMatchObject({ cancelled: true });
    },
  );

  it.each(['COMPLETE', 'FAILED', 'CANCELLED'] as const)('that is %s has ended', async (status) => {
    kept(status);

    const reason = `story ${ID} has ended already: ${status}`;
    expect(await cancelStory(world, WHICH, NOW)).toEqual({ outcome: 'refused', status, reason });
  });

  it('whose next attempt is not registered yet is asked all the same', async () => {
    kept('FAILED');
    const workflow = running();

    expect(await cancelStory(world, WHICH, NOW)).toEqual({ outcome: 'requested', status: 'WRITING' });
    expect(workflow).toMatchObject({ cancelled: true });
  });

  it('that nothing is kept of yet is asked too; one that was refused before it was begun has ended', async () => {
    running();
    expect(await cancelStory(world, WHICH, NOW)).toMatchObject({ outcome: 'requested' });
    failed();
    expect(await cancelStory(world, WHICH, NOW)).toMatchObject({ outcome: 'refused', status: 'FAILED' });
  });

  it('whose workflow was ended from outside is made good by asking for its night again', async () => {
    kept('READY');

    expect(await cancelStory(world, WHICH, NOW)).toMatchObject({
      outcome: 'refused',
      reason: expect.stringContaining('ask for that night again'),
    });
  });

  it('that there is not is unknown, whatever is called so', async () => {
    for (const night of [NIGHT, 'nothing'])
      await expect(cancelStory(world, { family: 'moon', night }, NOW)).rejects.toMatchObject({ kind: 'unknown' });
    await expect(cancelStory(world, { family: 'Moon!', night: NIGHT }, NOW)).rejects.toMatchObject({ kind: 'input' });
  });
});

describe('the route', () => {
  const as = (role: Principal['role'], consumers: Principal['consumers'] = ['moon']) => ({
    userId: 'u',
    role,
    consumers,
  });
  const open = () => openApi({ stories: world.stories, client: world.client });

  it('is asked, refused where it has ended, and is not there for others', async () => {
    kept('READY');
    running();
    const api = await open();
    const path = `/stories/${ID}/cancel`;

    const asked = await api.as(as('operator')).post(path);
    expect(asked.statusCode).toBe(200);
    expect(asked.json()).toEqual({ workflowId: `story/${ID}`, status: 'READY' });
    expect((await api.as(as('viewer')).post(path)).statusCode).toBe(403);
    expect((await api.as(as('approver', ['stern'])).post(path)).statusCode).toBe(404);
    expect((await api.as(as('operator')).post('/stories/moon/2026-11-20/cancel')).json()).toMatchObject({
      error: { code: 'not-found', message: 'there is no story moon/2026-11-20' },
    });
    world.kept.records.length = 0;
    world.kept.workflows.clear();
    kept('COMPLETE');
    const over = await api.as(as('operator')).post(path);
    expect(over.statusCode).toBe(409);
    expect(over.json()).toMatchObject({
      error: { message: `story ${ID} has ended already: COMPLETE`, remedy: expect.stringContaining('GET /api/v1') },
    });
  });
});
