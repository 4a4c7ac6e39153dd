/**
 * The step that is chosen in a picture, beside or below it.
 *
 * @module
 */
import type { Snapshot } from '../../../../workflows/progress/model.ts';
import { here } from '../location.ts';
import { Note } from '../parts/notes.tsx';
import { Status } from '../parts/status.tsx';
import { StepDetail } from '../views/step-detail.tsx';
import type { AnyDetail } from './run-detail.ts';

interface PanelProps {
  name: string;
  detail: AnyDetail;
  snapshot: Snapshot;
}

export function StepPanel({ name, detail, snapshot }: PanelProps) {
  const step = snapshot.steps.find((one) => one.name === name);
  return (
    <section class="panel" aria-label={`Step ${name}`}>
      <div class="panel-top">
        <h2>
          {name} {step && <Status status={step.state} endedAt={step.endedAt} />}
        </h2>
        <a href={here({ step: undefined })} class="button">
          Close
        </a>
      </div>
      {detail.domain === 'launch' && (
        <p>
          <a href={here({ tab: 'logs', step: name })}>Log of this step</a>
        </p>
      )}
      {step ? (
        <StepDetail step={step} details={(detail.steps ?? []).filter((one) => one.step === name)} />
      ) : (
        <Note>There is no such step at this moment.</Note>
      )}
    </section>
  );
}
