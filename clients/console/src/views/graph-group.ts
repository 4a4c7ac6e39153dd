/**
 * Fewer nodes than steps: above a limit, steps of one layer whose names differ in numbers only become one node, and where
 * that is not enough, whole layers do. A group opens into its steps, or into smaller groups where it has very many.
 *
 * @module
 */
import type { Structure } from './graph-structure.ts';

/** More nodes are grouped. */
export const NODE_LIMIT = 400;
/** More members of a group open as smaller groups. */
export const OPEN_LIMIT = 100;
const PARTS = 40;

export interface GraphNode {
  /** A step's name behind `s:`, or a group's path behind `g:`. */
  id: string;
  label: string;
  layer: number;
  /** Places of steps in the structure. */
  members: readonly number[];
  group: boolean;
  /** The group it came out of, which can be closed again. */
  parent?: string;
}

export interface GraphEdge {
  /** Places in `nodes`. */
  from: number;
  to: number;
}

export interface GroupedGraph {
  nodes: readonly GraphNode[];
  edges: readonly GraphEdge[];
  /** Of the steps, by place. */
  names: readonly string[];
  /** Of each step: its node. */
  nodeOf: readonly number[];
}

/** `map_0017` is one of `map_*`. */
export const patternOf = (name: string): string => name.replaceAll(/\d+/g, '*');

/**
 * @param open ids of groups that are open
 * @param limit nodes there may be before anything is grouped
 */
export function groupSteps(
  structure: Structure,
  open: ReadonlySet<string> = new Set(),
  limit = NODE_LIMIT,
): GroupedGraph {
  const { names } = structure;
  const nodes: GraphNode[] = [];
  const add = (node: GraphNode): void => {
    if (!node.group || !open.has(node.id)) {
      nodes.push(node);
      return;
    }
    for (const part of partsOf(node, names)) add(part);
  };
  for (const node of outermost(structure, limit)) add(node);

  const nodeOf: number[] = names.map(() => 0);
  for (const [place, node] of nodes.entries()) for (const member of node.members) nodeOf[member] = place;
  return { nodes, edges: edgesBetween(structure, nodeOf, nodes.length), names, nodeOf };
}

const single = (name: string, layer: number, member: number, parent?: string): GraphNode => ({
  id: `s:${name}`,
  label: name,
  layer,
  members: [member],
  group: false,
  ...(parent !== undefined && { parent }),
});

/** All groups closed. */
function outermost({ names, layers, layerCount }: Structure, limit: number): GraphNode[] {
  if (names.length <= limit) return names.map((name, place) => single(name, layers[place] ?? 0, place));
  const alike = collect(names, (place) => `${layers[place]}:${patternOf(names[place] as string)}`);
  if (alike.length <= limit) {
    return alike.map(([key, members]) => {
      const first = members[0] as number;
      const layer = layers[first] ?? 0;
      const name = names[first] as string;
      return members.length === 1
        ? single(name, layer, first)
        : { id: `g:${key}`, label: patternOf(name), layer, members, group: true };
    });
  }
  // So many layers that a node each would be too many are taken together.
  const together = Math.ceil(layerCount / limit);
  return collect(names, (place) => String(Math.floor((layers[place] ?? 0) / together))).map(([key, members]) => {
    const band = Number(key);
    const first = members[0] as number;
    if (members.length === 1) return single(names[first] as string, band, first);
    const label =
      together === 1
        ? `layer ${band + 1}`
        : `layers ${band * together + 1}–${Math.min(layerCount, (band + 1) * together)}`;
    return { id: `g:band:${key}`, label, layer: band, members, group: true };
  });
}

function collect(names: readonly string[], keyOf: (place: number) => string): [string, number[]][] {
  const groups = new Map<string, number[]>();
  for (const place of names.keys()) {
    const key = keyOf(place);
    const members = groups.get(key);
    if (members) members.push(place);
    else groups.set(key, [place]);
  }
  return [...groups];
}

function partsOf(group: GraphNode, names: readonly string[]): GraphNode[] {
  const { members, layer, id } = group;
  if (members.length <= OPEN_LIMIT) {
    return members.map((member) => single(names[member] as string, layer, member, id));
  }
  const size = Math.max(2, Math.ceil(members.length / PARTS));
  const parts: GraphNode[] = [];
  for (let begin = 0; begin < members.length; begin += size) {
    const some = members.slice(begin, begin + size);
    const first = names[some[0] as number] as string;
    const last = names[some.at(-1) as number] as string;
    parts.push(
      some.length === 1
        ? single(first, layer, some[0] as number, id)
        : { id: `${id}/${begin}`, label: `${first} … ${last}`, layer, members: some, group: true, parent: id },
    );
  }
  return parts;
}

function edgesBetween({ before }: Structure, nodeOf: readonly number[], count: number): GraphEdge[] {
  const seen = new Set<number>();
  const edges: GraphEdge[] = [];
  for (const [place, earlier] of before.entries()) {
    const to = nodeOf[place] as number;
    for (const step of earlier) {
      const from = nodeOf[step] as number;
      const key = from * count + to;
      if (from === to || seen.has(key)) continue;
      seen.add(key);
      edges.push({ from, to });
    }
  }
  return edges;
}

/** Everything that a node waits for, and everything that waits for it; without itself unless it is in a cycle. */
export function reachOf(
  edges: readonly GraphEdge[],
  node: number,
): { ancestors: Set<number>; descendants: Set<number> } {
  return {
    ancestors: walk(edges, node, (edge) => [edge.to, edge.from]),
    descendants: walk(edges, node, (edge) => [edge.from, edge.to]),
  };
}

function walk(
  edges: readonly GraphEdge[],
  start: number,
  direction: (edge: GraphEdge) => readonly [number, number],
): Set<number> {
  const next = new Map<number, number[]>();
  for (const edge of edges) {
    const [from, to] = direction(edge);
    const list = next.get(from);
    if (list) list.push(to);
    else next.set(from, [to]);
  }
  const reached = new Set<number>();
  const open = [start];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const other of next.get(node) ?? []) {
      if (reached.has(other)) continue;
      reached.add(other);
      open.push(other);
    }
  }
  return reached;
}
