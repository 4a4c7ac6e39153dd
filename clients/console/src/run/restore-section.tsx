/**
 * How far archived objects are restored, until when, and for how much.
 *
 * @module
 */
import { bytes, count, counted, duration, moment, money } from '../format.ts';
import { now } from '../hooks.ts';
import { Bar } from '../parts/figures.tsx';
import { sentence } from '../parts/notes.tsx';
import { Status } from '../parts/status.tsx';
import { runPath } from '../routes.ts';
import { toneOf } from '../status.ts';
import type { SectionProps } from './sections.tsx';

export function RestoreSection({ detail }: SectionProps) {
  const { restore, plan, failures = [] } = detail;
  if (!restore) return null;
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
