/**
 * The steps of a run as a table: sorted, filtered, and each opened for what is known of it.
 *
 * @module
 */
import './steps-table.css';
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { type Snapshot, STEP_STATES, type StepState } from '../../../../workflows/progress/model.ts';
import type { StepDetail as Detail } from '../../../live/api.ts';
import { useNow } from './parts.tsx';
import { StepRow } from './step-row.tsx';
import { type Arrangement, arrangeSteps, countStates, FIRST_ARRANGEMENT, type Sort } from './steps-order.ts';
import { detailsByStep } from './timeline-rows.ts';
import { lookOf } from './tones.ts';
import { useVirtualRows } from './virtual.ts';

export interface StepsTableProps {
  snapshot: Snapshot;
  /** Of every attempt. */
  details?: readonly Detail[];
  /** Epoch ms: the moment the snapshot is of, when that is not now. */
  now?: number;
  /** Name of a step: it is opened. */
  selected?: string | undefined;
  /** A step was opened. */
  onSelect?: (step: string) => void;
}

interface Column {
  name: string;
  sort?: Sort;
  /** Has no place on a phone. */
  wide: boolean;
}

const COLUMNS: readonly Column[] = [
  { name: 'Step', sort: 'name', wide: false },
  { name: 'State', sort: 'state', wide: false },
  { name: 'Items', sort: 'items', wide: true },
  { name: 'Attempt', sort: 'attempt', wide: true },
  { name: 'Submitted', sort: 'submitted', wide: true },
  { name: 'Started', sort: 'started', wide: true },
  { name: 'Took', sort: 'took', wide: false },
  { name: 'Why', wide: true },
];

const ROW_HEIGHT = 35;
const HEAD_HEIGHT = 35;
const NO_DETAILS: readonly Detail[] = [];

export function StepsTable({ snapshot, details = NO_DETAILS, now: moment, selected, onSelect }: StepsTableProps) {
  const { steps } = snapshot;
  const live = moment === undefined && snapshot.endedAt === undefined;
  const clock = useNow(live);
  const now = moment ?? (live ? clock : (snapshot.endedAt ?? snapshot.changedAt));

  const [arrangement, setArrangement] = useState<Arrangement>(FIRST_ARRANGEMENT);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const counts = useMemo(() => countStates(steps), [steps]);
  // How long what runs has taken changes every second, and the order by it hardly.
  const shown = useMemo(() => arrangeSteps(steps, arrangement, Date.now()), [steps, arrangement]);
  const byStep = useMemo(() => detailsByStep(details), [details]);

  const scroller = useRef<HTMLDivElement>(null);
  const keyOf = useCallback((index: number) => shown[index]?.name ?? index, [shown]);
  const rows = useVirtualRows({
    count: shown.length,
    scroller,
    rowHeight: ROW_HEIGHT,
    stickyTop: HEAD_HEIGHT,
    keyOf,
  });

  const toggle = (name: string): void => {
    const next = new Set(open);
    if (!next.delete(name)) {
      next.add(name);
      onSelect?.(name);
    }
    setOpen(next);
  };
  useEffect(() => {
    if (selected === undefined) return;
    const place = shown.findIndex((step) => step.name === selected);
    if (place < 0) return;
    setOpen((before) => (before.has(selected) ? before : new Set([...before, selected])));
    rows.reveal(place);
  }, [selected]);

  // The focus goes to a row that may have to come into the page first.
  const wanted = useRef<number | undefined>(undefined);
  useLayoutEffect(() => {
    if (wanted.current === undefined) return;
    const button = scroller.current?.querySelector<HTMLElement>(`[data-index="${wanted.current}"] .st-open`);
    if (!button) return;
    wanted.current = undefined;
    button.focus({ preventScroll: true });
  });
  const keyed = (event: KeyboardEvent): void => {
    const row = event.target instanceof Element ? event.target.closest('[data-index]') : null;
    if (!row || !(event.target as Element).matches('.st-open')) return;
    const index = Number(row.getAttribute('data-index'));
    const last = shown.length - 1;
    const targets: Readonly<Record<string, number>> = {
      ArrowDown: index + 1,
      ArrowUp: index - 1,
      PageDown: index + 15,
      PageUp: index - 15,
      Home: 0,
      End: last,
    };
    const target = targets[event.key];
    if (target === undefined) return;
    event.preventDefault();
    wanted.current = Math.max(0, Math.min(last, target));
    rows.reveal(wanted.current);
    setArrangement((before) => ({ ...before }));
  };

  const sortBy = (sort: Sort): void =>
    setArrangement((before) => {
      if (before.sort !== sort) return { ...before, sort, descending: false };
      return before.descending ? { ...before, sort: 'urgency', descending: false } : { ...before, descending: true };
    });
  return (
    <section class="st" aria-label="Steps">
      <div class="v-toolbar">
        <input
          class="st-search v-focus"
          type="search"
          placeholder="Name or cause"
          aria-label="Find steps by name or cause"
          value={arrangement.text}
          onInput={(event) => setArrangement({ ...arrangement, text: event.currentTarget.value })}
        />
        <select
          class="st-filter v-focus"
          aria-label="State"
          value={arrangement.state}
          onChange={(event) => setArrangement({ ...arrangement, state: event.currentTarget.value as StepState })}
        >
          <option value="all">All states</option>
          {[...STEP_STATES, 'stuck' as const]
            .filter((state) => counts.has(state) || state === arrangement.state)
            .map((state) => (
              <option key={state} value={state}>
                {state === 'stuck' ? 'Stuck' : lookOf(state).label} ({counts.get(state) ?? 0})
              </option>
            ))}
        </select>
        <button
          type="button"
          class="v-button"
          aria-pressed={arrangement.sort === 'urgency'}
          onClick={() =>
            setArrangement({
              ...arrangement,
              descending: false,
              sort: arrangement.sort === 'urgency' ? 'plan' : 'urgency',
            })
          }
        >
          Failed first
        </button>
        <span class="st-note" role="status">
          {shown.length === steps.length ? '' : `${shown.length.toLocaleString()} of `}
          {steps.length.toLocaleString()} {steps.length === 1 ? 'step' : 'steps'}
        </span>
      </div>
      <div
        ref={scroller}
        class="st-scroll"
        role="grid"
        aria-label="Steps"
        aria-rowcount={shown.length + 1}
        aria-colcount={COLUMNS.length}
        tabIndex={-1}
        onKeyDown={keyed}
      >
        <div class="st-head" role="rowgroup">
          <div class="st-columns" role="row" aria-rowindex={1}>
            {COLUMNS.map(({ name, sort, wide }) => (
              <div
                key={name}
                role="columnheader"
                class={wide ? 'st-wide' : ''}
                {...(sort !== undefined &&
                  arrangement.sort === sort && {
                    'aria-sort': arrangement.descending ? ('descending' as const) : ('ascending' as const),
                  })}
              >
                {sort === undefined ? (
                  <span class="st-plain">{name}</span>
                ) : (
                  <button type="button" class="v-focus" onClick={() => sortBy(sort)}>
                    {name}
                    {arrangement.sort === sort && (
                      <span aria-hidden="true">{arrangement.descending ? ' ↓' : ' ↑'}</span>
                    )}
                  </button>
                )}
              </div>
            ))}
          </div>
        </div>
        <div class="st-body" role="rowgroup" style={{ height: `${rows.height}px` }}>
          {rows.items.map(({ index, start }) => {
            const step = shown[index];
            return (
              step && (
                <StepRow
                  key={step.name}
                  step={step}
                  details={byStep.get(step.name) ?? NO_DETAILS}
                  index={index}
                  top={start}
                  now={now}
                  isOpen={open.has(step.name)}
                  selected={step.name === selected}
                  measure={rows.measure}
                  onToggle={toggle}
                />
              )
            );
          })}
        </div>
        {shown.length === 0 && (
          <p class="st-empty">{steps.length === 0 ? 'No steps have been told of yet.' : 'No step is like that.'}</p>
        )}
      </div>
    </section>
  );
}
