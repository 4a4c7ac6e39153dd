/**
 * Where the nodes of a graph are. Dagre's layout is the nicer one and takes long, so it runs in a worker; the layered one
 * costs what nodes and edges cost.
 *
 * @module
 */
import type { GraphEdge } from './graph-group.ts';

export const NODE_WIDTH = 176;
export const NODE_HEIGHT = 48;
const GAP_X = 56;
const GAP_Y = 18;

/** More nodes or edges are laid out by layers: dagre would take seconds. */
export const DAGRE_LIMITS = { nodes: 400, edges: 1_500 } as const;

export interface Point {
  x: number;
  y: number;
}

export interface Layout {
  width: number;
  height: number;
  /** Centres. */
  nodes: readonly Point[];
  /** Bends, ends included; as many as there are edges. */
  edges: readonly (readonly Point[])[];
}

/** What a layout is asked for: to a worker and back. */
export interface LayoutRequest {
  id: number;
  /** Of each node. */
  layers: readonly number[];
  edges: readonly GraphEdge[];
}

export type LayoutReply = { id: number; layout: Layout } | { id: number; error: string };

export const suitsDagre = (nodes: number, edges: number): boolean =>
  nodes <= DAGRE_LIMITS.nodes && edges <= DAGRE_LIMITS.edges;

/** A column a layer; within a layer, nodes are near to what they come after. */
export function layeredLayout(layers: readonly number[], edges: readonly GraphEdge[]): Layout {
  const columns = new Map<number, number[]>();
  for (const [node, layer] of layers.entries()) {
    const column = columns.get(layer);
    if (column) column.push(node);
    else columns.set(layer, [node]);
  }
  const tallest = Math.max(0, ...[...columns.values()].map((column) => column.length));
  const height = tallest * (NODE_HEIGHT + GAP_Y) + GAP_Y;
  const nodes: Point[] = layers.map(() => ({ x: 0, y: 0 }));
  const earlier: number[][] = layers.map(() => []);
  for (const { from, to } of edges) earlier[to]?.push(from);

  let x = GAP_X / 2 + NODE_WIDTH / 2;
  for (const layer of [...columns.keys()].sort((a, b) => a - b)) {
    const column = columns.get(layer) as number[];
    const wanted = new Map(column.map((node, place) => [node, middleOf(earlier[node] as number[], nodes) ?? place]));
    // Sorting is stable: what has nothing before it, or the same, stays in the order of the plan.
    const inOrder = [...column].sort((a, b) => (wanted.get(a) as number) - (wanted.get(b) as number));
    const top = (height - inOrder.length * (NODE_HEIGHT + GAP_Y) + GAP_Y) / 2;
    for (const [place, node] of inOrder.entries()) {
      nodes[node] = { x, y: top + place * (NODE_HEIGHT + GAP_Y) + NODE_HEIGHT / 2 };
    }
    x += NODE_WIDTH + GAP_X;
  }
  return {
    width: x - NODE_WIDTH / 2 - GAP_X / 2,
    height,
    nodes,
    edges: edges.map(({ from, to }) => straight(nodes[from] as Point, nodes[to] as Point)),
  };
}

function middleOf(before: readonly number[], nodes: readonly Point[]): number | undefined {
  if (before.length === 0) return undefined;
  return before.reduce((sum, node) => sum + (nodes[node]?.y ?? 0), 0) / before.length;
}

const straight = (from: Point, to: Point): Point[] => [
  { x: from.x + NODE_WIDTH / 2, y: from.y },
  { x: to.x - NODE_WIDTH / 2, y: to.y },
];

/** For a path's `d`: from bend to bend, leaving and arriving horizontally. */
export function pathOf(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (!first) return '';
  let path = `M${round(first.x)},${round(first.y)}`;
  let before = first;
  for (const point of rest) {
    const half = (before.x + point.x) / 2;
    path += `C${round(half)},${round(before.y)} ${round(half)},${round(point.y)} ${round(point.x)},${round(point.y)}`;
    before = point;
  }
  return path;
}

const round = (value: number): number => Math.round(value * 10) / 10;
