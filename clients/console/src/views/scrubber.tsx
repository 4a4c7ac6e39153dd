/**
 * Goes through a run's history: drag, keys, or play. Which moment is shown is the page's, so that an address can carry it.
 *
 * @module
 */
import './scrubber.css';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { History } from './history.ts';
import { positionOf, stepFrom, thinMarks, timeAt } from './scrub-axis.ts';
import { formatMoment } from './time-format.ts';
import { useSize } from './use-size.ts';

export interface ScrubberProps {
  history: History;
  /** Epoch ms: the moment that is shown; the newest when absent. */
  at: number | undefined;
  /** More events may come. */
  live: boolean;
  /** Undefined: the newest, and what comes. At most once a frame. */
  onChange: (at: number | undefined) => void;
}

/** Seconds for all of a run. */
const SPEEDS = [120, 60, 30, 10] as const;

export function Scrubber({ history, at, live, onChange }: ScrubberProps) {
  const slider = useRef<HTMLDivElement>(null);
  const { width } = useSize(slider);
  const marks = useMemo(() => (width > 0 ? thinMarks(history.marks, history, width) : []), [history, width]);
  const time = at ?? history.to;
  const share = at === undefined ? 1 : positionOf(history, at);

  const frame = useRef(0);
  const newest = useRef({ history, at, live, onChange });
  newest.current = { history, at, live, onChange };
  useEffect(() => () => cancelAnimationFrame(frame.current), []);

  const [seconds, setSeconds] = useState<number>(30);
  const [playing, setPlaying] = useState(false);
  useEffect(() => {
    if (!playing) return;
    let before = performance.now();
    let reached: number | undefined;
    let turn = requestAnimationFrame(function step(now: number) {
      const { history, at, live, onChange } = newest.current;
      // What the page was told last may not have come back yet.
      const from = reached ?? (at === undefined ? 0 : positionOf(history, at));
      reached = from + (now - before) / (seconds * 1_000);
      before = now;
      if (reached >= 1) {
        setPlaying(false);
        onChange(live ? undefined : history.to);
        return;
      }
      onChange(Math.round(timeAt(history, reached)));
      turn = requestAnimationFrame(step);
    });
    return () => cancelAnimationFrame(turn);
  }, [playing, seconds]);

  /** By hand: that ends the playing. */
  const go = (moment: number | undefined): void => {
    setPlaying(false);
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(() =>
      newest.current.onChange(moment === undefined ? undefined : Math.round(moment)),
    );
  };
  const moveTo = (event: PointerEvent): void => {
    const box = slider.current?.getBoundingClientRect();
    if (!box || box.width === 0) return;
    const pointed = (event.clientX - box.left) / box.width;
    go(pointed >= 1 && live ? undefined : timeAt(history, Math.max(0, Math.min(1, pointed))));
  };
  const stepBy = (events: number): void => {
    const next = stepFrom(history, time, events);
    go(events > 0 && live && history.indexAt(next) >= history.length ? undefined : next);
  };
  const keyed = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const by = event.shiftKey ? 10 : 1;
    const keys: Readonly<Record<string, () => void>> = {
      ArrowLeft: () => stepBy(-by),
      ArrowDown: () => stepBy(-by),
      ArrowRight: () => stepBy(by),
      ArrowUp: () => stepBy(by),
      PageUp: () => stepBy(Math.max(10, Math.floor(history.length / 20))),
      PageDown: () => stepBy(-Math.max(10, Math.floor(history.length / 20))),
      Home: () => go(history.from),
      End: () => go(live ? undefined : history.to),
      ' ': () => setPlaying(!playing),
    };
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };

  const index = at === undefined ? history.length : history.indexAt(time);
  const words = `${formatMoment(time)}, event ${index.toLocaleString()} of ${history.length.toLocaleString()}`;
  return (
    <section class="sc" aria-label="History of the run">
      <div
        ref={slider}
        class="sc-slider"
        role="slider"
        tabIndex={0}
        aria-label="Moment of the run; arrows go from event to event, with shift by ten, space plays"
        aria-valuemin={0}
        aria-valuemax={history.length}
        aria-valuenow={index}
        aria-valuetext={at === undefined && live ? `live, ${words}` : words}
        onKeyDown={keyed}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          moveTo(event);
        }}
        onPointerMove={(event) => {
          if (event.currentTarget.hasPointerCapture(event.pointerId)) moveTo(event);
        }}
      >
        <span class="sc-track" />
        <span class="sc-past" style={{ width: `${share * 100}%` }} />
        {marks.map((mark) => (
          <span
            key={`${mark.index} ${mark.kind}`}
            class="sc-mark"
            data-kind={mark.kind}
            title={`${mark.label}, ${formatMoment(mark.at)}`}
            style={{ left: `${mark.x}px` }}
          />
        ))}
        <span class="sc-thumb" style={{ left: `${share * 100}%` }} />
      </div>
      <div class="v-toolbar">
        <button
          type="button"
          class="v-button"
          aria-label={playing ? 'Pause' : 'Play'}
          disabled={history.length === 0}
          onClick={() => setPlaying(!playing)}
        >
          {playing ? '❚❚' : '▶'}
        </button>
        <button type="button" class="v-button" aria-label="One event back" onClick={() => stepBy(-1)}>
          ‹
        </button>
        <button type="button" class="v-button" aria-label="One event on" onClick={() => stepBy(1)}>
          ›
        </button>
        <select aria-label="Speed" value={seconds} onChange={(event) => setSeconds(Number(event.currentTarget.value))}>
          {SPEEDS.map((speed) => (
            <option key={speed} value={speed}>
              whole run in {speed} s
            </option>
          ))}
        </select>
        <span class="sc-label">{formatMoment(time)}</span>
        <span class="sc-note sc-label">
          {index.toLocaleString()} / {history.length.toLocaleString()}
        </span>
        <button type="button" class="v-button" aria-pressed={at === undefined} onClick={() => go(undefined)}>
          {live ? 'Live' : 'Newest'}
        </button>
      </div>
    </section>
  );
}
