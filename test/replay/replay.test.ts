/** Today's workflow code against histories recorded before: running launches must survive a deployment. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, describe, expect, it } from 'vitest';
import * as workflows from '../../workflows/index.ts';
import { workflowBundle } from '../support/time-skipping.ts';

const FOLDER = join(import.meta.dirname, 'histories');
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));

interface RecordedEvent {
  eventType: string;
  workflowExecutionStartedEventAttributes?: { workflowType: { name: string }; workflowId?: string };
  activityTaskScheduledEventAttributes?: { activityType: { name: string } };
}

const read = (file: string) => JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as { events: RecordedEvent[] };

const typeOf = (history: { events: RecordedEvent[] }) =>
  history.events[0]?.workflowExecutionStartedEventAttributes?.workflowType.name ?? '';

async function replay(history: { events: RecordedEvent[] }): Promise<void> {
  // Some look at their own id.
  const { workflowId } = history.events[0]?.workflowExecutionStartedEventAttributes ?? {};
  await Worker.runReplayHistory({ workflowBundle: await workflowBundle() }, history, workflowId);
}

beforeAll(() => {
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { filter: 'OFF', forward: {} } },
  });
});

describe('recorded histories', () => {
  it.each(FILES)('%s replays', async (file) => {
    await expect(replay(read(file))).resolves.toBeUndefined();
  });

  it('are there for every workflow type', () => {
    const recorded = new Set(FILES.map((file) => typeOf(read(file))));
    expect([...recorded].toSorted()).toEqual(Object.keys(workflows).toSorted());
  });

  it.each(['launch', 'restore', 'cost'])('of %s are there from before it told its log, and since', (type) => {
    const histories = FILES.map(read).filter((history) => typeOf(history) === type);
    const tells = ({ events }: { events: RecordedEvent[] }) =>
      events.some(({ eventType }) => eventType === 'EVENT_TYPE_MARKER_RECORDED') ||
      JSON.stringify(events).includes('progressTold');

    // Recorded anew, those from before would be gone: keep them.
    expect(new Set(histories.map(tells))).toEqual(new Set([true, false]));
  });
});

describe('a history of other code', () => {
  it.each(FILES)('%s with another activity in it is refused', async (file) => {
    const history = read(file);
    const scheduled = history.events.find((event) => event.activityTaskScheduledEventAttributes);
    if (scheduled?.activityTaskScheduledEventAttributes) {
      scheduled.activityTaskScheduledEventAttributes.activityType.name = 'somethingElse';
    }
    await expect(replay(history)).rejects.toBeInstanceOf(DeterminismViolationError);
  });
});
