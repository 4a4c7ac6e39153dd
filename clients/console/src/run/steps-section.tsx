/**
 * Steps, and the one that is chosen beside them.
 *
 * @module
 */
import { useMemo } from 'preact/hooks';
import { stepPercent } from '../../../../workflows/progress/picture.ts';
import { here, query } from '../location.ts';
import { Bar } from '../parts/figures.tsx';
import { Empty } from '../parts/notes.tsx';
import { Rows } from '../parts/rows.tsx';
import { Status } from '../parts/status.tsx';
import { toneOf } from '../status.ts';
import type { SectionProps } from './sections.tsx';
import { StepPanel } from './step-panel.tsx';

export function StepsSection({ detail, snapshot }: SectionProps) {
  const { steps } = snapshot;
  const chosen = query.value.get('step') ?? undefined;
  const attempts = useMemo(() => (detail.steps ?? []).filter(({ step }) => step === chosen), [detail.steps, chosen]);
  if (steps.length === 0)
    return (
      <Empty title="No steps yet">
        <p>They are told of once the run is planned.</p>
      </Empty>
    );
  return (
    <div class={chosen === undefined ? '' : 'beside'}>
      <Rows
        count={steps.length}
        rowHeight={40}
        label="Steps"
        render={(index) => {
          const step = steps[index];
          return (
            step && (
              <a key={step.name} class="step-row" href={here({ step: step.name })}>
                <span>{step.name}</span>
                <Status status={step.state} />
                <Bar percent={stepPercent(step)} label={`Progress of ${step.name}`} tone={toneOf(step.state)} />
              </a>
            )
          );
        }}
      />
      {chosen !== undefined && (
        <StepPanel
          name={chosen}
          view={steps.find(({ name }) => name === chosen)}
          attempts={attempts}
          hasLogs={detail.domain === 'launch'}
        />
      )}
    </div>
  );
}
