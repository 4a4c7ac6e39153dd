/**
 * Which moment is looked at: now, or one in the past with the way back.
 *
 * @module
 */
import type { Snapshot } from '../../../../workflows/progress/model.ts';
import { STORED_EPOCH } from '../../../live/api.ts';
import { count, counted, moment as momentText } from '../format.ts';
import { Icon } from '../parts/icon.tsx';
import { Problem } from '../parts/notes.tsx';
import type { Recorded } from './use-recording.ts';

interface MomentBarProps {
  now: Snapshot;
  moment: number | undefined;
  recorded: Recorded;
  go(moment: number | undefined): void;
}

export function MomentBar({ now, moment, recorded, go }: MomentBarProps) {
  if (moment === undefined)
    return now.epoch === STORED_EPOCH ? null : (
      <div class="moment-bar">
        <button type="button" class="quiet" onClick={() => go(now.changedAt)}>
          <Icon name="back" /> Look back in time
        </button>
      </div>
    );
  const { recording, failure, keptFrom, loading } = recorded;
  return (
    <section class="moment-bar moment-bar-past" aria-label="Moment">
      <div class="moment-words">
        <strong>As it was on {momentText(moment)}</strong>
        {recording && (
          <span>
            event {count(recording.countAt(moment))} of {count(recorded.count)}
            {keptFrom !== undefined && `; events up to ${count(keptFrom)} are no longer kept`}
          </span>
        )}
        {loading && <span role="status">{counted(recorded.count, 'event')} loaded…</span>}
        <button type="button" class="primary" onClick={() => go(undefined)}>
          Back to now
        </button>
      </div>
      {failure && <Problem failure={failure} />}
      {recording && recording.to > recording.from && (
        <Slider moment={moment} from={recording.from} to={recording.to} go={go} />
      )}
    </section>
  );
}

interface SliderProps {
  moment: number;
  from: number;
  to: number;
  go(moment: number): void;
}

const Slider = ({ moment, from, to, go }: SliderProps) => (
  <input
    type="range"
    class="moment-slider"
    aria-label="Moment of the run"
    aria-valuetext={momentText(moment)}
    min={from}
    max={to}
    step={Math.max(1, Math.round((to - from) / 1_000))}
    value={Math.min(to, Math.max(from, moment))}
    onInput={(event) => go(Number(event.currentTarget.value))}
  />
);
