/**
 * A row of the table of steps, with its detail below it once it is open.
 *
 * @module
 */

import type { StepView } from '../../../../workflows/progress/model.ts';
import type { StepDetail as Detail } from '../../../live/api.ts';
import { duration } from '../format.ts';
import { StateBadge } from './parts.tsx';
import { StepDetail } from './step-detail.tsx';
import { formatClock, formatDay, formatMoment } from './time-format.ts';
import { runningSpan } from './timeline-rows.ts';

export interface StepRowProps {
  step: StepView;
  details: readonly Detail[];
  index: number;
  /** Pixels. */
  top: number;
  now: number;
  isOpen: boolean;
  selected: boolean;
  measure: (element: Element | null) => void;
  onToggle: (step: string) => void;
}

export function StepRow({ step, details, index, top, now, isOpen, selected, measure, onToggle }: StepRowProps) {
  const { items, stuck } = step;
  const ran = runningSpan(step, now);
  const why = step.cause ?? (stuck ? `${stuck.reason}: ${stuck.remedy}` : (step.message ?? ''));
  return (
    <div
      ref={measure}
      class="st-row"
      role="presentation"
      data-index={index}
      style={{ transform: `translateY(${top}px)` }}
      {...(selected && { 'data-selected': true })}
    >
      <div class="st-columns" role="row" aria-rowindex={index + 2}>
        <div class="st-cell" role="rowheader" title={step.name}>
          <button type="button" class="st-open v-focus" aria-expanded={isOpen} onClick={() => onToggle(step.name)}>
            {step.name}
          </button>
        </div>
        <div class="st-cell" role="gridcell">
          <StateBadge state={step.state} />
          {stuck && <span title={`${stuck.reason}: ${stuck.remedy}`}> ⚠ stuck</span>}
        </div>
        <div class="st-cell st-figure st-wide" role="gridcell">
          {items && `${items.succeeded}/${items.total}`}
          {items && items.failed > 0 && `, ${items.failed} failed`}
        </div>
        <div class="st-cell st-figure st-wide" role="gridcell">
          {step.attempt ?? 1}
        </div>
        <Moment at={step.submittedAt} />
        <Moment at={step.startedAt} />
        <div class="st-cell st-figure" role="gridcell">
          {ran && duration(ran.to - ran.from)}
        </div>
        <div class="st-cell st-wide" role="gridcell" title={why}>
          {why}
        </div>
      </div>
      {isOpen && (
        <div role="row">
          <div role="gridcell" aria-colspan={8}>
            <StepDetail step={step} details={details} />
          </div>
        </div>
      )}
    </div>
  );
}

const Moment = ({ at }: { at: number | undefined }) => (
  <div class="st-cell st-figure st-wide" role="gridcell" {...(at !== undefined && { title: formatMoment(at) })}>
    {at !== undefined && `${formatDay(at)} ${formatClock(at, 60_000)}`}
  </div>
);
