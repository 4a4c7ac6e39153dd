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

/** Not wanted any more: a worker that is busy with it is ended, so that the next one does not wait. */
function cancel(id: number): void {
  if (waiting.has(id)) fail('no longer wanted');
}

function ask(request: Omit<LayoutRequest, 'id'>): { id: number; layout: Promise<Layout> } {
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
  const layout = new Promise<Layout>((resolve, reject) => {
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
  return { id, layout };
}

export interface LaidOut {
  graph: GroupedGraph;
  layout: Layout;
}

/**
 * @param graph the same object as long as nodes and edges are the same
 * @returns the newest that has been laid out: while another one is, that is still the one before
 */
export function useLayout(graph: GroupedGraph): LaidOut | undefined {
  const [made, setMade] = useState<LaidOut>();
  useEffect(() => {
    let wanted = true;
    const layers = graph.nodes.map((node) => node.layer);
    const { edges } = graph;
    const byLayers = (): void => setMade({ graph, layout: layeredLayout(layers, edges) });
    if (layers.length === 0 || !suitsDagre(layers.length, edges.length)) {
      byLayers();
      return;
    }
    const { id, layout } = ask({ layers, edges });
    layout.then(
      (done) => wanted && setMade({ graph, layout: done }),
      () => wanted && byLayers(),
    );
    return () => {
      wanted = false;
      cancel(id);
    };
  }, [graph]);
  return made;
}
