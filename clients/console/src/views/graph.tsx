/**
 * The graph of a run's steps: what comes after what, and how far each is. Laid out once for a plan; events change colours,
 * icons and counts only.
 *
 * @module
 */
import './graph.css';
import { useEffect, useId, useMemo, useRef, useState } from 'preact/hooks';
import type { Snapshot, StepView } from '../../../../workflows/progress/model.ts';
import {
  type Camera,
  firstCamera,
  fitCamera,
  panCamera,
  revealNode,
  TEXT_SCALE,
  visibleNodes,
  zoomCamera,
} from './graph-camera.ts';
import { useLayout } from './graph-engine.ts';
import { groupSteps, reachOf } from './graph-group.ts';
import { GraphList } from './graph-list.tsx';
import { nextNode } from './graph-moves.ts';
import { Edges, Node } from './graph-parts.tsx';
import { useGraphPointers } from './graph-pointers.ts';
import { focusOf, nodeStates } from './graph-states.ts';
import { sameStructure, structureOf } from './graph-structure.ts';
import { useSize } from './use-size.ts';

export interface GraphProps {
  snapshot: Pick<Snapshot, 'steps'>;
  /** Name of a step. */
  selected?: string | undefined;
  onSelect?: (step: string) => void;
}

/** Ms. A plan that is being told of step by step is not laid out more often. */
const CALM = 400;
const LARGE = 1_000;
const NO_STEPS: readonly StepView[] = [];

/** The same object while the plan is the same, so that nothing is laid out again. */
function usePlan(steps: readonly StepView[]): readonly StepView[] {
  // A large one is looked at once the page is there, in a task of its own.
  const [plan, setPlan] = useState(steps.length > LARGE ? NO_STEPS : steps);
  const taken = useRef(0);
  useEffect(() => {
    if (sameStructure(plan, steps)) return;
    const take = (): void => {
      taken.current = performance.now();
      setPlan(steps);
    };
    const wait = taken.current + CALM - performance.now();
    const timer = setTimeout(take, Math.max(0, wait));
    return () => clearTimeout(timer);
  }, [plan, steps]);
  return plan;
}

export function Graph({ snapshot: { steps }, selected, onSelect }: GraphProps) {
  const plan = usePlan(steps);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const structure = useMemo(() => structureOf(plan), [plan]);
  const wanted = useMemo(() => groupSteps(structure, open), [structure, open]);
  const laidOut = useLayout(wanted);
  const { graph, layout } = laidOut ?? { graph: wanted, layout: undefined };
  const states = useMemo(() => nodeStates(graph, steps), [graph, steps]);

  const id = useId();
  const view = useRef<HTMLDivElement>(null);
  const size = useSize(view);
  const [moved, setMoved] = useState<Camera>();
  const [active, setActive] = useState<string>();
  // Of when it was laid out: what happens afterwards does not move what is being looked at.
  const first = useMemo(
    () => (layout ? firstCamera(layout, focusOf(states), size) : { scale: 1, x: 0, y: 0 }),
    [layout, size.width, size.height],
  );
  const camera = moved ?? first;
  const change = (by: (camera: Camera) => Camera): void => setMoved((before) => by(before ?? camera));
  useGraphPointers(view, change);

  const step = selected === undefined ? -1 : graph.names.indexOf(selected);
  const [groupId, setGroupId] = useState<string>();
  const chosen = groupId === undefined ? graph.nodeOf[step] : graph.nodes.findIndex((node) => node.id === groupId);
  const near = useMemo(() => {
    if (chosen === undefined || chosen < 0) return undefined;
    const { ancestors, descendants } = reachOf(graph.edges, chosen);
    return new Set([chosen, ...ancestors, ...descendants]);
  }, [graph, chosen]);
  const activePlace = Math.max(0, active === undefined ? 0 : graph.nodes.findIndex((node) => node.id === active));
  useEffect(() => setGroupId(undefined), [selected]);

  const toggle = (group: string, opens: boolean): void => {
    const next = new Set(open);
    if (opens) next.add(group);
    else for (const other of open) if (other === group || other.startsWith(`${group}/`)) next.delete(other);
    setOpen(next);
    setMoved(undefined);
  };
  const choose = (place: number): void => {
    const node = graph.nodes[place];
    if (!node) return;
    setActive(node.id);
    if (node.group) {
      // First it shows what it depends on, then it opens.
      if (groupId === node.id) toggle(node.id, true);
      setGroupId(groupId === node.id ? undefined : node.id);
    } else {
      setGroupId(undefined);
      onSelect?.(graph.names[node.members[0] as number] as string);
    }
  };
  const closeOf = graph.nodes[chosen ?? -1]?.parent ?? graph.nodes[activePlace]?.parent;

  const centre = { x: size.width / 2, y: size.height / 2 };
  const keys: Readonly<Record<string, () => void>> = {
    '+': () => change((now) => zoomCamera(now, 1.3, centre)),
    '=': () => change((now) => zoomCamera(now, 1.3, centre)),
    '-': () => change((now) => zoomCamera(now, 1 / 1.3, centre)),
    '0': () => layout && setMoved(fitCamera(layout, size)),
    Enter: () => choose(activePlace),
    Escape: () => (closeOf === undefined ? setGroupId(undefined) : toggle(closeOf, false)),
  };
  const keyed = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const direction = /^Arrow(Up|Down|Left|Right)$/.exec(event.key)?.[1] as
      | 'Up'
      | 'Down'
      | 'Left'
      | 'Right'
      | undefined;
    const act = keys[event.key];
    if ((!direction && !act) || !layout) return;
    event.preventDefault();
    if (!direction) return act?.();
    if (event.shiftKey) {
      const [dx, dy] = { Up: [0, 60], Down: [0, -60], Left: [60, 0], Right: [-60, 0] }[direction] as [number, number];
      return change((now) => panCamera(now, dx, dy));
    }
    const next = nextNode(layout, activePlace, direction);
    setActive(graph.nodes[next]?.id);
    const at = layout.nodes[next];
    if (at) change((now) => revealNode(now, at, size));
  };
  const clicked = (event: MouseEvent): void => {
    const node = event.target instanceof Element ? event.target.closest('[data-node]') : null;
    if (node) choose(Number(node.getAttribute('data-node')));
    else setGroupId(undefined);
  };

  const isBusy = steps.length > 0 && (!layout || graph.nodes.length === 0);
  const drawn = layout ? visibleNodes(layout, camera, size) : [];
  const readable = camera.scale >= TEXT_SCALE;
  const groups = graph.nodes.filter((node) => node.group).length;
  return (
    <section class="dag" aria-label="Graph of steps">
      <div class="v-toolbar">
        <button type="button" class="v-button" aria-label="Zoom in" onClick={keys['+']}>
          +
        </button>
        <button type="button" class="v-button" aria-label="Zoom out" onClick={keys['-']}>
          −
        </button>
        <button type="button" class="v-button" onClick={keys['0']}>
          Fit
        </button>
        {closeOf !== undefined && (
          <button type="button" class="v-button" onClick={() => toggle(closeOf, false)}>
            Close group
          </button>
        )}
        {groupId !== undefined && graph.nodes[chosen ?? -1]?.group && (
          <button type="button" class="v-button" onClick={() => toggle(groupId, true)}>
            Open group
          </button>
        )}
        <span class="dag-note">
          {steps.length.toLocaleString()} {steps.length === 1 ? 'step' : 'steps'}
          {groups > 0 && `, ${groups} ${groups === 1 ? 'group' : 'groups'}`}
        </span>
      </div>
      <div
        ref={view}
        class="dag-view"
        style={{ height: `${Math.min(560, (layout?.height ?? 560) * 1.25 + 24)}px` }}
        role="listbox"
        // A list of nothing is none, but for the time being.
        aria-busy={drawn.length === 0}
        aria-label="Steps and what they wait for; arrows move, Enter selects, plus and minus zoom, shift and arrows pan"
        tabIndex={0}
        {...(drawn.includes(activePlace) && { 'aria-activedescendant': `${id}-${activePlace}` })}
        onKeyDown={keyed}
        onClick={clicked}
      >
        <svg role="presentation" {...(near && { 'data-selection': true })}>
          <defs>
            <marker
              id="dag-arrow"
              viewBox="0 0 8 8"
              refX="8"
              refY="4"
              markerUnits="userSpaceOnUse"
              markerWidth="9"
              markerHeight="9"
              orient="auto"
            >
              <path d="M0,0L8,4L0,8z" fill="var(--text-2)" />
            </marker>
          </defs>
          <g transform={`translate(${camera.x},${camera.y}) scale(${camera.scale})`}>
            {layout && <Edges layout={layout} edges={graph.edges} camera={camera} view={size} near={near} />}
            {drawn.map((place) => {
              const node = graph.nodes[place];
              const state = states[place];
              const at = layout?.nodes[place];
              return (
                node &&
                state &&
                at && (
                  <Node
                    key={node.id}
                    id={`${id}-${place}`}
                    node={node}
                    state={state}
                    at={at}
                    place={place}
                    readable={readable}
                    selected={place === chosen}
                    active={place === activePlace}
                    far={near !== undefined && !near.has(place)}
                  />
                )
              );
            })}
          </g>
        </svg>
        {isBusy && <div class="dag-busy">Laying out…</div>}
        {steps.length === 0 && layout && <div class="dag-busy">No steps have been told of yet.</div>}
      </div>
      <GraphList graph={graph} states={states} onChoose={choose} />
    </section>
  );
}
