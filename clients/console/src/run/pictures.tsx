/**
 * Steps as a timeline, as a graph, and as a table.
 *
 * @module
 */
import type { ComponentChildren } from 'preact';
import { here, query, setQuery } from '../location.ts';
import { lazy } from '../parts/lazy.tsx';
import { Empty } from '../parts/notes.tsx';
import { StepsTable } from '../views/steps-table.tsx';
import { Timeline } from '../views/timeline.tsx';
import type { SectionProps } from './sections.tsx';
import { StepPanel } from './step-panel.tsx';

const Graph = lazy(() => import('../views/graph.tsx').then((module) => module.Graph));

const select = (step: string): void => setQuery({ step });
const chosen = (): string | undefined => query.value.get('step') ?? undefined;

/** What the pictures take of the moment that is looked at. */
const nowOf = (moment: number | undefined): { now?: number } => (moment === undefined ? {} : { now: moment });

export const TimelineSection = (props: SectionProps) => (
  <Picture {...props}>
    <Timeline
      snapshot={props.snapshot}
      details={props.detail.steps ?? []}
      selected={chosen()}
      onSelect={select}
      {...nowOf(props.moment)}
    />
  </Picture>
);

export const GraphSection = (props: SectionProps) => (
  <Picture {...props}>
    <Graph snapshot={props.snapshot} selected={chosen()} onSelect={select} />
  </Picture>
);

export function StepsSection({ detail, snapshot, moment }: SectionProps) {
  const step = chosen();
  if (snapshot.steps.length === 0) return <NoSteps />;
  return (
    <>
      {step !== undefined && detail.domain === 'launch' && (
        <p>
          <a href={here({ tab: 'logs', step })}>Log of {step}</a>
        </p>
      )}
      <StepsTable
        snapshot={snapshot}
        details={detail.steps ?? []}
        selected={step}
        onSelect={select}
        {...nowOf(moment)}
      />
    </>
  );
}

function Picture({ detail, snapshot, children }: SectionProps & { children: ComponentChildren }) {
  const step = chosen();
  if (snapshot.steps.length === 0) return <NoSteps />;
  return (
    <>
      {children}
      {step !== undefined && <StepPanel name={step} detail={detail} snapshot={snapshot} />}
    </>
  );
}

const NoSteps = () => (
  <Empty title="No steps yet">
    <p>They are told of once the run is planned.</p>
  </Empty>
);
