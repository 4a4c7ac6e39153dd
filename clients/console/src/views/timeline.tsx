/**
 * The timeline of a run: a row a step, with the time it waited and the time it ran.
 *
 * @module
 */
import './timeline.css';
import { useEffect, useId, useMemo, useRef, useState } from 'preact/hooks';
import type { Snapshot } from '../../../../workflows/progress/model.ts';
import type { StepDetail } from '../../../live/api.ts';
import { useNow } from './parts.tsx';
import { zoneOffset } from './time-format.ts';
import {
  clampWindow,
  foldIdle,
  makeAxis,
  makeScale,
  panWindow,
  toActive,
  type Window,
  wholeWindow,
  worthFolding,
  zoomWindow,
} from './timeline-axis.ts';
import { useTimelineGestures } from './timeline-gestures.ts';
import { Minimap } from './timeline-minimap.tsx';
import { TimelineHead, TimelineLines, TimelineRow, TimelineTooltip } from './timeline-parts.tsx';
import { busySpans, detailsByStep, domainOf, makeRow } from './timeline-rows.ts';
import { makeTicks } from './timeline-ticks.ts';
import { useSize } from './use-size.ts';
import { useVirtualRows } from './virtual.ts';

export interface TimelineProps {
  snapshot: Snapshot;
  /** Jobs by attempt and generation, where they are known. */
  details?: readonly StepDetail[];
  /** Epoch ms: the moment the snapshot is of, when that is not now. */
  now?: number;
  /** Name of a step. */
  selected?: string | undefined;
  onSelect?: (step: string) => void;
}

const ROW_HEIGHT = 26;
const HEAD_HEIGHT = 48;
const NO_DETAILS: readonly StepDetail[] = [];

export function Timeline({ snapshot, details = NO_DETAILS, now: moment, selected, onSelect }: TimelineProps) {
  const { steps } = snapshot;
  const live = moment === undefined && snapshot.endedAt === undefined;
  const clock = useNow(live);
  // Events come between two ticks of the clock.
  const now = moment ?? Math.max(live ? clock : 0, snapshot.changedAt, snapshot.endedAt ?? 0);
  const id = useId();

  const scroller = useRef<HTMLDivElement>(null);
  const size = useSize(scroller);
  const nameWidth = size.width < 520 ? 112 : 208;
  const width = Math.max(80, size.width - nameWidth);

  const [folding, setFolding] = useState(true);
  const [shown, setShown] = useState<Window>();
  const [active, setActive] = useState(0);
  const [hint, setHint] = useState<{ index: number; x: number; y: number }>();

  const axis = useMemo(() => {
    const domain = domainOf(snapshot, now);
    const busy = busySpans(steps, now);
    return makeAxis(domain, busy.length > 0 ? foldIdle(busy, worthFolding(busy), domain) : []);
  }, [snapshot, steps, now]);
  const plain = useMemo(() => (folding ? axis : makeAxis(axis.domain)), [axis, folding]);
  const window = shown ? clampWindow(plain, shown) : wholeWindow(plain);
  const scale = useMemo(() => makeScale(plain, window, width), [plain, window.from, window.to, width]);
  const ticks = useMemo(() => makeTicks(scale, { offset: zoneOffset(axis.domain.to) }), [scale]);
  const byStep = useMemo(() => detailsByStep(details), [details]);
  const rows = useVirtualRows({ count: steps.length, scroller, rowHeight: ROW_HEIGHT, stickyTop: HEAD_HEIGHT });
  const rowAt = (index: number) => {
    const step = steps[index];
    return step && makeRow(step, byStep.get(step.name) ?? NO_DETAILS, now);
  };

  const zoom = (factor: number, x = width / 2): void =>
    setShown(zoomWindow(plain, window, factor, toActive(plain, scale.time(x))));
  const drag = useTimelineGestures(scroller, {
    left: nameWidth,
    zoom,
    pan: (share) => setShown(panWindow(plain, window, share)),
    range: (x0, x1) =>
      setShown(
        clampWindow(plain, {
          from: toActive(plain, scale.time(x0)),
          to: toActive(plain, scale.time(Math.min(x1, width))),
        }),
      ),
    reset: () => setShown(undefined),
  });

  const go = (index: number): void => {
    const next = Math.max(0, Math.min(steps.length - 1, index));
    setActive(next);
    rows.reveal(next);
  };
  // A step that was selected elsewhere is shown.
  useEffect(() => {
    const place = selected === undefined ? -1 : steps.findIndex((step) => step.name === selected);
    if (place >= 0) go(place);
  }, [selected]);

  const showHintOf = (index: number): void => {
    const row = document.getElementById(`${id}-${index}`)?.getBoundingClientRect();
    if (row) setHint({ index, x: row.left + nameWidth, y: row.bottom - 10 });
  };
  const page = Math.max(1, Math.floor((size.height - HEAD_HEIGHT) / ROW_HEIGHT) - 1);
  const keys: Readonly<Record<string, () => void>> = {
    ArrowDown: () => go(active + 1),
    ArrowUp: () => go(active - 1),
    PageDown: () => go(active + page),
    PageUp: () => go(active - page),
    Home: () => go(0),
    End: () => go(steps.length - 1),
    ArrowLeft: () => setShown(panWindow(plain, window, -0.2)),
    ArrowRight: () => setShown(panWindow(plain, window, 0.2)),
    '+': () => zoom(0.6),
    '=': () => zoom(0.6),
    '-': () => zoom(1 / 0.6),
    '0': () => setShown(undefined),
    Enter: () => steps[active] && onSelect?.(steps[active].name),
    ' ': () => showHintOf(active),
    Escape: () => setHint(undefined),
  };
  const keyed = (event: KeyboardEvent): void => {
    const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  // The tooltip of the row that the keyboard is on.
  useEffect(() => {
    if (scroller.current?.matches(':focus-visible')) showHintOf(active);
  }, [active, rows.items[0]?.index]);

  const indexOf = (event: Event): number | undefined => {
    const row = event.target instanceof Element ? event.target.closest('[data-row]') : null;
    return row ? Number(row.getAttribute('data-row')) : undefined;
  };
  const hovered = (event: PointerEvent): void => {
    const index = event.pointerType === 'touch' ? undefined : indexOf(event);
    setHint(index === undefined ? undefined : { index, x: event.clientX, y: event.clientY });
  };
  const clicked = (event: MouseEvent): void => {
    const index = indexOf(event);
    const step = index === undefined ? undefined : steps[index];
    if (index === undefined || !step) return;
    setActive(index);
    onSelect?.(step.name);
  };

  const hintRow = hint && !drag ? rowAt(hint.index) : undefined;
  return (
    <section class="tl" aria-label="Timeline">
      <div class="v-toolbar">
        <button type="button" class="v-button" aria-label="Zoom in" onClick={() => zoom(0.6)}>
          +
        </button>
        <button type="button" class="v-button" aria-label="Zoom out" disabled={!shown} onClick={() => zoom(1 / 0.6)}>
          −
        </button>
        <button type="button" class="v-button" disabled={!shown} onClick={() => setShown(undefined)}>
          Whole run
        </button>
        <button
          type="button"
          class="v-button"
          aria-pressed={folding}
          disabled={axis.gaps.length === 0}
          onClick={() => {
            setFolding(!folding);
            setShown(undefined);
          }}
        >
          Fold idle time
        </button>
        <span class="tl-note">{steps.length === 1 ? '1 step' : `${steps.length.toLocaleString()} steps`}</span>
      </div>
      <Minimap
        axis={plain}
        steps={steps}
        window={window}
        now={now}
        onMove={(middle) => {
          const half = (window.to - window.from) / 2;
          if (shown) setShown(clampWindow(plain, { from: middle - half, to: middle + half }));
        }}
      />
      <div
        ref={scroller}
        class="tl-scroll"
        role="grid"
        aria-label="Steps over time; arrows move, plus and minus zoom, Enter selects"
        aria-rowcount={steps.length + 1}
        aria-colcount={2}
        tabIndex={0}
        {...(rows.items.some(({ index }) => index === active) && { 'aria-activedescendant': `${id}-${active}` })}
        onKeyDown={keyed}
        onPointerMove={hovered}
        onPointerLeave={() => setHint(undefined)}
        // Another row comes under the pointer.
        onWheel={() => setHint(undefined)}
        onBlur={() => setHint(undefined)}
        onClick={clicked}
      >
        <div class="tl-head" role="row" aria-rowindex={1}>
          <div class="tl-name" role="columnheader" style={{ width: `${nameWidth}px` }}>
            Step
          </div>
          <div class="tl-plot" role="columnheader" aria-label="State and duration">
            <TimelineHead scale={scale} ticks={ticks} snapshot={snapshot} until={snapshot.endedAt ?? now} />
          </div>
        </div>
        <div class="tl-body" role="presentation" style={{ height: `${rows.height}px` }}>
          <div class="tl-lines" aria-hidden="true" style={{ left: `${nameWidth}px` }}>
            <TimelineLines scale={scale} ticks={ticks} now={snapshot.endedAt === undefined ? now : undefined} />
            {drag && <span class="tl-range" style={{ left: `${drag.x0}px`, width: `${drag.x1 - drag.x0}px` }} />}
          </div>
          {rows.items.map(({ index, start }) => {
            const row = rowAt(index);
            return (
              row && (
                <TimelineRow
                  key={index}
                  id={`${id}-${index}`}
                  row={row}
                  index={index}
                  top={start}
                  nameWidth={nameWidth}
                  scale={scale}
                  selected={row.step.name === selected}
                  active={index === active}
                />
              )
            );
          })}
        </div>
        {steps.length === 0 && <p class="tl-empty">No steps have been told of yet.</p>}
      </div>
      {hint && hintRow && <TimelineTooltip row={hintRow} x={hint.x} y={hint.y} />}
    </section>
  );
}
