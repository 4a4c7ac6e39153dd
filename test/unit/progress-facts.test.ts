/** Whose a run is may be known only after its log has begun: it is filled in then, and never changes. */
import { expect, it } from 'vitest';
import { createStoredLog } from '../support/stored-log.ts';

const report = (localSeq: number) =>
  ({ kind: 'status', source: { name: 'workflow', attempt: 1 }, localSeq, at: localSeq, status: 'RUNNING' }) as const;

it('is filled in by a later report, and not taken away or changed by another', async () => {
  const { store } = createStoredLog();
  await store.append('launch/1', { domain: 'launch' }, [report(1)]);
  const before = await store.head('launch/1');
  await store.append('launch/1', { domain: 'launch', consumer: 'lab-a', parent: 'story/1' }, [report(2)]);
  await store.append('launch/1', { domain: 'other', consumer: 'lab-b' }, [report(3)]);
  await store.append('launch/1', { domain: 'launch' }, [report(4)]);

  expect(before?.consumer).toBeUndefined();
  expect(await store.head('launch/1')).toMatchObject({
    domain: 'launch',
    consumer: 'lab-a',
    parent: 'story/1',
    seq: 4,
  });
  expect(await store.snapshot('launch/1')).toMatchObject({ consumer: 'lab-a', parent: 'story/1' });
});
