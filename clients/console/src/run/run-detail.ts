/**
 * What a run's page is made of: what the registry has of it, and its live picture.
 *
 * @module
 */
import { useEffect, useState } from 'preact/hooks';
import type { Snapshot } from '../../../../workflows/progress/model.ts';
import type { LaunchDetail, RestoreDetail, RunDetail } from '../../../live/api.ts';
import { type Resource, useResource } from '../hooks.ts';
import { ask } from '../http.ts';
import { domainOf } from '../routes.ts';
import { type Feed, feedOf } from '../run-feed.ts';
import { isOver } from '../status.ts';

export type AnyDetail = RunDetail & Partial<Omit<LaunchDetail & RestoreDetail, keyof RunDetail>>;

/** Of an open run: counts of restores and outputs are not told of by events. */
const EVERY_MS = 15_000;
/** An end is told before the registry has it. */
const BEHIND_MS = 1_500;

function addressOf(workflowId: string): { path: string; pattern: string } {
  const { domain, id } = domainOf(workflowId);
  if (domain === 'launch') return { path: `/launches/${encodeURIComponent(id)}`, pattern: '/launches/:id' };
  if (domain === 'restore') return { path: `/restores/${encodeURIComponent(id)}`, pattern: '/restores/:id' };
  return { path: `/runs/${encodeURIComponent(workflowId)}`, pattern: '/runs/:workflowId' };
}

/**
 * @param now the picture there is, if any
 * @param moment changes when it is to be asked again: at another status or attempt
 */
export function useRunDetail(workflowId: string, now: Snapshot | undefined, moment: string): Resource<AnyDetail> {
  const [pause, setPause] = useState<number | undefined>(EVERY_MS);
  const resource = useResource(
    workflowId,
    (stop) => {
      const { path, pattern } = addressOf(workflowId);
      return ask<AnyDetail>(path, { pattern, signal: stop });
    },
    pause,
  );
  const { reload, data } = resource;
  const behind = now !== undefined && data !== undefined && isBehind(data, now);
  const next = behind ? BEHIND_MS : now !== undefined && isOver(now) ? undefined : EVERY_MS;
  useEffect(() => setPause(next), [next]);
  const [asked, setAsked] = useState(moment);
  useEffect(() => {
    if (asked === moment) return;
    setAsked(moment);
    if (asked !== '') reload();
  }, [moment]);
  return resource;
}

/** What may be done with a run, its end and its outputs are the registry's to say. */
export const isBehind = (detail: Pick<AnyDetail, 'attempt' | 'status' | 'endedAt'>, now: Snapshot): boolean =>
  (detail.attempt ?? 1) < now.attempt || (isOver(now) && !isOver(detail));

/** @returns undefined until it has begun */
export function useFeed(workflowId: string): Feed | undefined {
  const [feed, setFeed] = useState<{ of: string; feed: Feed }>();
  useEffect(() => {
    const opened = feedOf(workflowId, true);
    setFeed({ of: workflowId, feed: opened });
    return () => opened.stop();
  }, [workflowId]);
  return feed?.of === workflowId ? feed.feed : undefined;
}

/** The one that knows more; a log that was begun anew counts from the beginning again. */
export function newestOf(told: Snapshot | undefined, asked: Snapshot | undefined): Snapshot | undefined {
  if (!told || !asked) return told ?? asked;
  return told.epoch === asked.epoch && told.seq < asked.seq ? asked : told;
}
