/**
 * A node and the edges of the graph.
 *
 * @module
 */
import { type Camera, isEdgeVisible, type Size, TEXT_SCALE } from './graph-camera.ts';
import type { GraphEdge, GraphNode } from './graph-group.ts';
import { type Layout, NODE_HEIGHT, NODE_WIDTH, type Point, pathOf } from './graph-layout.ts';
import type { NodeState } from './graph-states.ts';
import { shorten } from './shorten.ts';
import { TONE_CLASS } from './tones.ts';

/** Characters of a label that fit. */
const LABEL = 21;

/** Characters of the second line that fit. */
const LINE = 26;

function stateLine(node: GraphNode, state: NodeState): string {
  const words = node.group ? [state.counts] : [state.label, state.counts];
  const line = words.filter(Boolean).join(' ');
  return state.stuck ? `⚠ stuck: ${shorten(line, LINE - 9)}` : shorten(line, LINE);
}

export interface NodeProps {
  id: string;
  node: GraphNode;
  state: NodeState;
  at: Point;
  place: number;
  /** Text can be read at this scale. */
  readable: boolean;
  selected: boolean;
  active: boolean;
  /** Neither before nor after what is selected. */
  far: boolean;
}

export function nodeText(node: GraphNode, state: NodeState): string {
  const what = node.group ? `${node.label}, ${node.members.length} steps` : node.label;
  return [what, state.label, state.counts, state.stuck && 'stuck'].filter(Boolean).join(', ');
}

export function Node({ id, node, state, at, place, readable, selected, active, far }: NodeProps) {
  const left = at.x - NODE_WIDTH / 2;
  const top = at.y - NODE_HEIGHT / 2;
  return (
    <g
      id={id}
      class={`dag-node ${TONE_CLASS[state.tone]}`}
      role="option"
      aria-selected={selected}
      data-node={place}
      transform={`translate(${left},${top})`}
      {...(node.group && { 'data-group': true })}
      {...(selected && { 'data-selected': true })}
      {...(active && { 'data-active': true })}
      {...(far && { 'data-far': true })}
    >
      <title>{nodeText(node, state)}</title>
      {node.group && readable && <rect class="dag-behind" x={5} y={5} width={NODE_WIDTH} height={NODE_HEIGHT} rx={7} />}
      <rect class="dag-box" width={NODE_WIDTH} height={NODE_HEIGHT} rx={7} />
      {readable && (
        <>
          <text class="dag-icon" x={16} y={20}>
            {state.icon}
          </text>
          <text class="dag-label" x={28} y={20}>
            {shorten(node.label, LABEL)}
          </text>
          <text class="dag-counts" x={12} y={36}>
            {stateLine(node, state)}
          </text>
          <rect class="dag-track" x={10} y={40} width={NODE_WIDTH - 20} height={3} rx={1.5} />
          <rect class="dag-bar" x={10} y={40} width={((NODE_WIDTH - 20) * state.percent) / 100} height={3} rx={1.5} />
        </>
      )}
    </g>
  );
}

export interface EdgesProps {
  layout: Layout;
  edges: readonly GraphEdge[];
  camera: Camera;
  view: Size;
  /** Of the nodes before and after what is selected, with itself. */
  near: ReadonlySet<number> | undefined;
}

/** More edges at a time cannot be told apart: they are drawn as one path. */
const SINGLE_EDGES = 800;

export function Edges({ layout, edges, camera, view, near }: EdgesProps) {
  const visible = [...edges.keys()].filter((place) => isEdgeVisible(layout.edges[place] ?? [], camera, view));
  const isNear = (place: number): boolean => {
    const edge = edges[place];
    return edge !== undefined && near !== undefined && near.has(edge.from) && near.has(edge.to);
  };
  const path = (places: readonly number[]): string => places.map((place) => pathOf(layout.edges[place] ?? [])).join('');
  if (visible.length > SINGLE_EDGES || camera.scale < TEXT_SCALE) {
    return (
      <>
        <path class="dag-edge" d={path(visible)} />
        {near && <path class="dag-edge" data-near d={path(visible.filter(isNear))} />}
      </>
    );
  }
  return (
    <>
      {visible.map((place) => (
        <path
          key={place}
          class="dag-edge"
          d={path([place])}
          marker-end="url(#dag-arrow)"
          {...(isNear(place) && { 'data-near': true })}
        />
      ))}
    </>
  );
}
