/**
 * What the timeline is drawn of: the head with the band of statuses and the ticks, lines behind the rows, a row, a tooltip.
 *
 * @module
 */
import type { Snapshot } from '../../../../workflows/progress/model.ts';
import { duration } from '../format.ts';
import { shorten } from './shorten.ts';
import { formatMoment, timesOf } from './time-format.ts';
import type { Scale, Span } from './timeline-axis.ts';
import type { Row } from './timeline-rows.ts';
import type { Tick } from './timeline-ticks.ts';
import { lookOf, TONE_CLASS } from './tones.ts';

/** Narrower ones cannot be seen, or pointed at. */
const THINNEST = 2;

function barStyle(span: Span, scale: Scale): { left: string; width: string } | undefined {
  const left = Math.max(-4, scale.x(span.from));
  const right = Math.min(scale.width + 4, scale.x(span.to));
  if (right < 0 || left > scale.width) return undefined;
  return { left: `${left}px`, width: `${Math.max(THINNEST, right - left)}px` };
}

export function TimelineHead(props: { scale: Scale; ticks: readonly Tick[]; snapshot: Snapshot; until: number }) {
  const { scale, ticks, snapshot, until } = props;
  const { statuses } = snapshot;
  return (
    <>
      {statuses.map((reached, place) => {
        const next = statuses[place + 1];
        const style = barStyle({ from: reached.at, to: Math.max(reached.at, next?.at ?? until) }, scale);
        if (!style) return undefined;
        const look = lookOf(reached.status);
        const attempt = reached.attempt > 1 ? ` (attempt ${reached.attempt})` : '';
        return (
          <span
            key={place}
            class={`tl-band ${TONE_CLASS[look.tone]}`}
            style={style}
            title={`${look.label}${attempt} since ${formatMoment(reached.at)}`}
          >
            {look.icon} {look.label}
            {attempt}
          </span>
        );
      })}
      {ticks.map((tick) => (
        <span key={tick.at} class="tl-tick" style={{ left: `${tick.x}px` }}>
          {tick.label}
        </span>
      ))}
      {scale.folds.map((fold) => (
        <span
          key={fold.from}
          class="tl-fold-label"
          style={{ left: `${Math.min(scale.width - 30, Math.max(30, (fold.x0 + fold.x1) / 2))}px` }}
          title={`Nothing ran for ${duration(fold.to - fold.from)}`}
        >
          ⋯ {duration(fold.to - fold.from)}
        </span>
      ))}
    </>
  );
}

export function TimelineLines(props: { scale: Scale; ticks: readonly Tick[]; now: number | undefined }) {
  const { scale, ticks, now } = props;
  const nowAt = now === undefined ? undefined : scale.x(now);
  return (
    <>
      {ticks.map((tick) => (
        <span key={tick.at} class="tl-line" style={{ left: `${tick.x}px` }} />
      ))}
      {scale.folds.map((fold) => (
        <span key={fold.from} class="tl-fold" style={{ left: `${fold.x0}px`, width: `${fold.x1 - fold.x0}px` }} />
      ))}
      {nowAt !== undefined && nowAt >= 0 && nowAt <= scale.width + 2 && (
        <span class="tl-now" style={{ left: `${Math.min(nowAt, scale.width - 2)}px` }} />
      )}
    </>
  );
}

/** Pixels of a character that is not a wide one: with more of those, the end is cut too. */
const NARROW = 7;

export interface TimelineRowProps {
  row: Row;
  index: number;
  id: string;
  top: number;
  nameWidth: number;
  scale: Scale;
  selected: boolean;
  active: boolean;
}

export function TimelineRow({ row, index, id, top, nameWidth, scale, selected, active }: TimelineRowProps) {
  const { step, waiting, running, generations } = row;
  const look = lookOf(step.state);
  const waitingStyle = waiting && barStyle(waiting, scale);
  const runningStyle = running && barStyle(running, scale);
  return (
    <div
      id={id}
      class={`tl-row ${TONE_CLASS[look.tone]}`}
      role="row"
      // The head is the first.
      aria-rowindex={index + 2}
      aria-selected={selected}
      data-row={index}
      {...(active && { 'data-active': true })}
      style={{ top: `${top}px` }}
    >
      <div class="tl-name" role="gridcell" style={{ width: `${nameWidth}px` }}>
        <span class="tl-name-icon" aria-hidden="true">
          {look.icon}
        </span>
        <span class="tl-name-text">{shorten(step.name, Math.floor((nameWidth - 32) / NARROW))}</span>
      </div>
      <div class="tl-plot" role="gridcell">
        <span class="v-hidden">{row.text}</span>
        {waitingStyle && <span class="tl-bar tl-bar-waiting" style={waitingStyle} />}
        {runningStyle && (
          <span class="tl-bar" style={runningStyle} {...(step.endedAt === undefined && { 'data-live': true })} />
        )}
        {generations.length > 1 &&
          generations.map((generation) => {
            const style = barStyle(generation, scale);
            if (!style) return undefined;
            return (
              <span
                key={`${generation.attempt}/${generation.generation}`}
                class="tl-generation"
                style={style}
                {...(generation.earlier && { 'data-earlier': true })}
              />
            );
          })}
        {generations
          .filter((generation) => generation.failed)
          .map((generation) => {
            const x = scale.x(generation.to);
            if (x < 0 || x > scale.width) return undefined;
            return (
              <span
                key={`failed ${generation.attempt}/${generation.generation}`}
                class="tl-failed-mark"
                style={{ left: `${Math.min(x, scale.width - 8)}px` }}
              >
                ✕
              </span>
            );
          })}
      </div>
    </div>
  );
}

export function TimelineTooltip({ row, x, y }: { row: Row; x: number; y: number }) {
  const { step, generations } = row;
  const look = lookOf(step.state);
  const times = timesOf(step);
  return (
    <div
      class={`tl-tooltip ${TONE_CLASS[look.tone]}`}
      role="tooltip"
      style={{
        left: `${Math.max(8, Math.min(x + 14, innerWidth - 336))}px`,
        top: `${Math.min(y + 18, innerHeight - 130)}px`,
      }}
    >
      <strong>
        <span style={{ color: 'var(--tone)' }}>{look.icon}</span> {step.name}
      </strong>
      <p>{row.text}</p>
      <p>{times.flatMap(([name, at]) => (at === undefined ? [] : [`${name} ${formatMoment(at)}`])).join(' · ')}</p>
      {generations.length > 1 && (
        <p>
          {generations
            .map(
              ({ attempt, generation, jobs, failed, from, to }) =>
                `attempt ${attempt}, generation ${generation}: ${jobs} ${jobs === 1 ? 'job' : 'jobs'}, ${duration(to - from)}${failed ? ', failed' : ''}`,
            )
            .join('; ')}
        </p>
      )}
    </div>
  );
}
