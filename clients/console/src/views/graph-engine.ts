/**
 * Lays out a graph without holding up the page: the nice layout comes from a worker, the layered one at once where the
 * graph is too large for it or the worker cannot do it.
 *
 * @module
 */
import { useEffect, useState } from 'preact/hooks';
import type { GroupedGraph } from './graph-group.ts';
import { type Layout, type LayoutReply, type LayoutRequest, layeredLayout, suitsDagre } from './graph-layout.ts';

/** Ms. After that the layered layout has to do. */
const PATIENCE = 8_000;

interface Waiting {
  resolve(layout: Layout): void;
  reject(error: Error): void;
}

let worker: Worker | undefined;
let requests = 0;
const waiting = new Map<number, Waiting>();

function fail(reason: string): void {
  worker?.terminate();
  worker = undefined;
  for (const { reject } of waiting.values()) reject(new Error(reason));
  waiting.clear();
}

function ask(request: Omit<LayoutRequest, 'id'>): Promise<Layout> {
  if (!worker) {
    worker = new Worker(new URL('./graph-worker.ts', import.meta.url), { type: 'module' });
    worker.addEventListener('message', ({ data }: MessageEvent<LayoutReply>) => {
      const asked = waiting.get(data.id);
      waiting.delete(data.id);
      if ('layout' in data) asked?.resolve(data.layout);
      else asked?.reject(new Error(data.error));
    });
    worker.addEventListener('error', () => fail('the worker for layouts does not work'));
  }
  requests += 1;
  const id = requests;
  const using = worker;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => fail('a layout took too long'), PATIENCE);
    const settled =
      <T>(then: (value: T) => void) =>
      (value: T): void => {
        clearTimeout(timer);
        then(value);
      };
    waiting.set(id, { resolve: settled(resolve), reject: settled(reject) });
    using.postMessage({ id, ...request });
  });
}

export interface EngineState {
  /** Of `graph`; absent while it is being made. */
  layout?: Layout;
  /** The layered one stands in for a better one. */
  plain: boolean;
}

/** @param graph the same object as long as nodes and edges are the same */
export function useLayout(graph: GroupedGraph): EngineState {
  const [made, setMade] = useState<{ graph: GroupedGraph } & EngineState>();
  useEffect(() => {
    let wanted = true;
    const layers = graph.nodes.map((node) => node.layer);
    const { edges } = graph;
    const byLayers = (): void => setMade({ graph, layout: layeredLayout(layers, edges), plain: true });
    if (!suitsDagre(layers.length, edges.length)) {
      byLayers();
      return;
    }
    ask({ layers, edges }).then(
      (layout) => wanted && setMade({ graph, layout, plain: false }),
      () => wanted && byLayers(),
    );
    return () => {
      wanted = false;
    };
  }, [graph]);
  return made?.graph === graph ? made : { plain: false };
}
