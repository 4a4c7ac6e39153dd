/**
 * Through which statuses a run has gone, and the events themselves once they are loaded.
 *
 * @module
 */
import type { ProgressEvent } from '../../../../workflows/progress/model.ts';
import { clock, duration, moment as momentText } from '../format.ts';
import { now } from '../hooks.ts';
import { here } from '../location.ts';
import { Rows } from '../parts/rows.tsx';
import { Status } from '../parts/status.tsx';
import { isOver } from '../status.ts';
import type { SectionProps } from './sections.tsx';

export function HistorySection({ detail, snapshot, moment, recorded }: SectionProps) {
  const { statuses } = snapshot;
  const until = moment ?? (isOver(snapshot) ? snapshot.endedAt : undefined) ?? now.value;
  const { earlier = [] } = detail;
  return (
    <>
      <h2>Statuses</h2>
      <div class="wide-table" tabIndex={0} role="region" aria-label="Statuses">
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">Status</th>
              <th scope="col">Attempt</th>
              <th scope="col">Reached</th>
              <th scope="col">Lasted</th>
            </tr>
          </thead>
          <tbody>
            {statuses.map(({ status, at, attempt, waitingFor }, place) => {
              const next = statuses[place + 1]?.at;
              const last = next === undefined && isOver(snapshot);
              return (
                <tr key={`${at} ${status} ${place}`}>
                  <td>
                    <Status
                      status={status}
                      waitingFor={waitingFor}
                      endedAt={last ? at : undefined}
                      past={next !== undefined}
                    />
                  </td>
                  <td>{attempt}</td>
                  <td>
                    <a href={here({ at: String(at) })} title="See the run as it was then">
                      {momentText(at)}
                    </a>
                  </td>
                  <td>{last ? '' : duration((next ?? until) - at)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {earlier.length > 0 && <Earlier earlier={earlier} />}
      <h2>Events</h2>
      {recorded.history ? (
        <Events events={recorded.events.slice(0, moment && recorded.history.indexAt(moment))} />
      ) : (
        <p>
          <a href={here({ at: String(snapshot.changedAt) })}>Look back in time</a> to load them.
        </p>
      )}
    </>
  );
}

const Earlier = ({ earlier }: { earlier: readonly { attempt: number; statuses: Record<string, string> }[] }) => (
  <>
    <h2>Earlier attempts</h2>
    <ul>
      {earlier.map(({ attempt, statuses }) => (
        <li key={attempt}>
          Attempt {attempt}:{' '}
          {Object.entries(statuses)
            .map(([status, at]) => `${status} ${momentText(Date.parse(at))}`)
            .join(', ')}
        </li>
      ))}
    </ul>
  </>
);

const Events = ({ events }: { events: readonly ProgressEvent[] }) => (
  <Rows
    count={events.length}
    rowHeight={30}
    label="Events, the latest first"
    render={(index) => {
      const event = events[events.length - 1 - index];
      return (
        event && (
          <a key={event.seq} class="event-row figures" href={here({ at: String(event.at) })}>
            <span>{event.seq}</span>
            <span>{clock(event.at, true)}</span>
            <span>{event.kind}</span>
            <span>{event.source.name}</span>
            <span class="event-text">{textOf(event)}</span>
          </a>
        )
      );
    }}
  />
);

/** What changed, in a line. */
function textOf(event: ProgressEvent): string {
  const { status, message, percent, steps = [], error, cost, counts } = event;
  return [
    event.begins && `attempt ${event.begins.attempt} begins`,
    status,
    error && `${error.type}: ${error.message}`,
    message,
    percent !== undefined && `${Math.floor(percent)} %`,
    steps.length > 0 && steps.length <= 3 && steps.map(({ name, state }) => `${name} ${state}`).join(', '),
    steps.length > 3 && `${steps.length} steps`,
    counts &&
      Object.entries(counts)
        .map(([name, value]) => `${name} ${value}`)
        .join(', '),
    cost && `${cost.total} ${cost.currency}`,
    event.merged !== undefined && `${event.merged} merged`,
  ]
    .filter((text) => typeof text === 'string' && text !== '')
    .join(' · ');
}
