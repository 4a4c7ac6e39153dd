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
import { isOver } from '../status.ts';
import { Scrubber } from '../views/scrubber.tsx';
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
  const { history, failure, dropped, loading, events } = recorded;
  return (
    <section class="moment-bar moment-bar-past" aria-label="Moment">
      <div class="moment-words">
        <strong>As it was on {momentText(moment)}</strong>
        {dropped !== undefined && <span>events up to {count(dropped)} are no longer kept</span>}
        {loading && <span role="status">{counted(events.length, 'event')} loaded…</span>}
        <button type="button" class="primary" onClick={() => go(undefined)}>
          Back to now
        </button>
      </div>
      {failure && <Problem failure={failure} />}
      {history && history.length > 0 && <Scrubber history={history} at={moment} live={!isOver(now)} onChange={go} />}
    </section>
  );
}
