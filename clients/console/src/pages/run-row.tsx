/**
 * One run in the list: a link over the whole row.
 *
 * @module
 */
import type { ReadonlySignal } from '@preact/signals';
import type { Snapshot } from '../../../../workflows/progress/model.ts';
import type { RunSummary } from '../../../live/api.ts';
import { money } from '../format.ts';
import { Ago, Bar, Took } from '../parts/figures.tsx';
import { Status } from '../parts/status.tsx';
import { runPath } from '../routes.ts';
import { withSnapshot } from '../run-rows.ts';
import { isOver, toneOf } from '../status.ts';

interface RowProps {
  listed: RunSummary;
  live: ReadonlySignal<Snapshot | undefined> | undefined;
}

export function RunRow({ listed, live }: RowProps) {
  const run = withSnapshot(listed, live?.value);
  const { workflowId, domain, id, status, waitingFor, consumer, workflowType, computeService, attempt, cost } = run;
  const begun = Date.parse(run.createdAt);
  const ended = run.endedAt === undefined ? undefined : Date.parse(run.endedAt);
  const over = isOver(run);
  return (
    <li class="run-row">
      <span class="run-name">
        <a class="run-link" href={runPath(workflowId)}>
          {id || workflowId}
        </a>
        <span class="run-kind">
          {[domain, workflowType, computeService].filter(Boolean).join(' · ')}
          {attempt !== undefined && attempt > 1 && ` · attempt ${attempt}`}
        </span>
      </span>
      <span>
        <Status status={status} waitingFor={waitingFor} endedAt={run.endedAt} />
        {run.errorType !== undefined && <span class="run-error">{run.errorType}</span>}
      </span>
      <span class="run-progress">
        {run.percent !== undefined && !over && (
          <Bar percent={run.percent} label={`Progress of ${id}`} tone={toneOf(status)} />
        )}
      </span>
      <span class="run-consumer">{consumer ?? ''}</span>
      <span class="run-time">
        <Ago at={begun} />
      </span>
      <span class="run-took">{(ended !== undefined || !over) && <Took from={begun} to={ended} />}</span>
      <span class="run-cost figure">
        {cost && money(cost.total, cost.currency)}
        {cost?.status === 'PENDING' && <abbr title="not final yet"> ~</abbr>}
      </span>
    </li>
  );
}
