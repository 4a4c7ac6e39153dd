/**
 * How far archived objects are restored, until when, and for how much.
 *
 * @module
 */
import { useEffect, useState } from 'preact/hooks';
import type { Snapshot } from '../../../../workflows/progress/model.ts';
import type { RestoreSummary } from '../../../live/api.ts';
import { bytes, count, counted, duration, moment, money } from '../format.ts';
import { now } from '../hooks.ts';
import { Bar } from '../parts/figures.tsx';
import { sentence } from '../parts/notes.tsx';
import { Status } from '../parts/status.tsx';
import { runPath } from '../routes.ts';
import { feedOf } from '../run-feed.ts';
import { toneOf } from '../status.ts';
import type { SectionProps } from './sections.tsx';

/** A registry is written now and then, the restore's own log at every look. */
function withNews(known: RestoreSummary, news: Snapshot | undefined): RestoreSummary {
  const { counts = {}, status = known.status, etaAt = known.readyBy } = news ?? {};
  const { objects, bytes: all, requested, restored, restoredBytes, failed } = counts;
  return {
    ...known,
    status,
    total: objects ?? known.total,
    bytes: all ?? known.bytes,
    requested: requested ?? known.requested,
    readable: restored ?? known.readable,
    readableBytes: restoredBytes ?? known.readableBytes,
    failed: failed ?? known.failed,
    ...(etaAt !== undefined && { readyBy: etaAt }),
  };
}

/** Another run as it is now, while it is shown. */
function useRun(run: string | undefined): Snapshot | undefined {
  const [picture, setPicture] = useState<Snapshot | undefined>(undefined);
  useEffect(() => {
    if (run === undefined) return;
    const feed = feedOf(run, false);
    const ended = feed.snapshot.subscribe(setPicture);
    return () => {
      ended();
      feed.stop();
    };
  }, [run]);
  return run === undefined ? undefined : picture;
}

export function RestoreSection({ detail, snapshot, moment: past }: SectionProps) {
  const { restore: known, plan, failures = [] } = detail;
  const own = useRun(past === undefined && known?.workflowId !== detail.workflowId ? known?.workflowId : undefined);
  if (!known) return null;
  const restore = withNews(known, own ?? (known.workflowId === detail.workflowId ? snapshot : undefined));
  const left = restore.total - restore.readable;
  const over = left === 0;
  return (
    <>
      <p class="run-facts">
        <Status status={restore.status} endedAt={over ? 0 : undefined} />
        {restore.workflowId !== detail.workflowId && <a href={runPath(restore.workflowId)}>Its own page</a>}
      </p>
      <Bar
        percent={restore.total === 0 ? 100 : (100 * restore.readable) / restore.total}
        label="Objects that can be read"
        tone={toneOf(restore.status, over)}
      />
      <dl class="facts">
        <dt>Readable</dt>
        <dd class="figures">
          {count(restore.readable)} of {counted(restore.total, 'object')}, {bytes(restore.readableBytes)} of{' '}
          {bytes(restore.bytes)}
        </dd>
        <dt>Asked for</dt>
        <dd class="figures">{count(restore.requested)}</dd>
        {restore.failed > 0 && (
          <>
            <dt>Failed</dt>
            <dd class="figures bad">{count(restore.failed)}</dd>
          </>
        )}
        {restore.readyBy !== undefined && !over && (
          <>
            <dt>Should be readable</dt>
            <dd class="figures">
              {restore.readyBy > now.value ? `in ${duration(restore.readyBy - now.value)}, ` : ''}
              {moment(restore.readyBy)}
            </dd>
          </>
        )}
        {restore.usd !== undefined && (
          <>
            <dt>Price</dt>
            <dd class="figures">
              {money(restore.usd, 'USD')}
              {restore.limitUsd !== undefined && `; above ${money(restore.limitUsd, 'USD')} it needs an approval`}
            </dd>
          </>
        )}
        {plan && (
          <>
            <dt>Tiers</dt>
            <dd>
              {Object.entries(plan.tiers)
                .map(([archive, tier]) => `${archive}: ${tier}`)
                .join(', ')}
            </dd>
            <dt>Copies live</dt>
            <dd>{counted(plan.days, 'day')}</dd>
          </>
        )}
      </dl>
      {failures.length > 0 && (
        <>
          <h2>What could not be restored</h2>
          <ul>
            {failures.map(({ address, code, reason }) => (
              <li key={address} class="failure">
                <code>{address}</code>
                <p>
                  <strong>{code}</strong>: {sentence(reason)}
                </p>
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}
