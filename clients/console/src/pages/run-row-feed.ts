/**
 * Live snapshots of the rows that are open: the newest of them, since a connection has a limit, and so has an eye.
 *
 * @module
 */
import type { ReadonlySignal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Snapshot } from '../../../../workflows/progress/model.ts';
import type { RunSummary } from '../../../live/api.ts';
import { type Feed, feedOf } from '../run-feed.ts';
import { isOver } from '../status.ts';

const MOST = 50;

export type RowFeeds = ReadonlyMap<string, ReadonlySignal<Snapshot | undefined>>;

export function useRowFeeds(rows: readonly RunSummary[]): RowFeeds {
  const feeds = useRef(new Map<string, Feed>());
  const [signals, setSignals] = useState<RowFeeds>(new Map());
  const key = rows
    .filter((row) => !isOver(row))
    .slice(0, MOST)
    .map(({ workflowId }) => workflowId)
    .join('\n');
  useEffect(() => {
    const ids = new Set(key === '' ? [] : key.split('\n'));
    for (const [id, feed] of feeds.current) {
      if (ids.has(id)) continue;
      feed.stop();
      feeds.current.delete(id);
    }
    for (const id of ids) if (!feeds.current.has(id)) feeds.current.set(id, feedOf(id, false));
    setSignals(new Map([...feeds.current].map(([id, { snapshot }]) => [id, snapshot])));
  }, [key]);
  useEffect(
    () => () => {
      for (const feed of feeds.current.values()) feed.stop();
      feeds.current.clear();
    },
    [],
  );
  return signals;
}
