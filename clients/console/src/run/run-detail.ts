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

export type AnyDetail = RunDetail & Partial<Omit<LaunchDetail & RestoreDetail, keyof RunDetail>>;

/** Of an open run: counts of restores and outputs are not told of by events. */
const EVERY_MS = 15_000;

function addressOf(workflowId: string): { path: string; pattern: string } {
  const { domain, id } = domainOf(workflowId);
  if (domain === 'launch') return { path: `/launches/${encodeURIComponent(id)}`, pattern: '/launches/:id' };
  if (domain === 'restore') return { path: `/restores/${encodeURIComponent(id)}`, pattern: '/restores/:id' };
  return { path: `/runs/${encodeURIComponent(workflowId)}`, pattern: '/runs/:workflowId' };
}

/** @param moment changes when it is to be asked again: at another status or attempt */
export function useRunDetail(workflowId: string, over: boolean, moment: string): Resource<AnyDetail> {
  const resource = useResource(
    workflowId,
    (stop) => {
      const { path, pattern } = addressOf(workflowId);
      return ask<AnyDetail>(path, { pattern, signal: stop });
    },
    over ? undefined : EVERY_MS,
  );
  const { reload } = resource;
  const [asked, setAsked] = useState(moment);
  useEffect(() => {
    if (asked === moment) return;
    setAsked(moment);
    if (asked !== '') reload();
  }, [moment]);
  return resource;
}

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
