/**
 * Dagre's layout of a graph, left to right. Runs in the worker only: it is half of the console's code for graphs.
 *
 * @module
 */
import { Graph, layout } from '@dagrejs/dagre';
import { type Layout, type LayoutRequest, NODE_HEIGHT, NODE_WIDTH, type Point } from './graph-layout.ts';

export function dagreLayout({ layers, edges }: Pick<LayoutRequest, 'layers' | 'edges'>): Layout {
  const graph = new Graph({ multigraph: false });
  graph.setGraph({ rankdir: 'LR', nodesep: 18, ranksep: 56, marginx: 28, marginy: 18 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const node of layers.keys()) graph.setNode(String(node), { width: NODE_WIDTH, height: NODE_HEIGHT });
  for (const { from, to } of edges) graph.setEdge(String(from), String(to));
  layout(graph);
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  return {
    width,
    height,
    nodes: [...layers.keys()].map((node) => pointOf(graph.node(String(node)) as Partial<Point>)),
    edges: edges.map(({ from, to }) => {
      const label = graph.edge(String(from), String(to)) as { points?: Partial<Point>[] } | undefined;
      return (label?.points ?? []).map(pointOf);
    }),
  };
}

const pointOf = ({ x = 0, y = 0 }: Partial<Point>): Point => ({ x, y });
