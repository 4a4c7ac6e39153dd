/**
 * The worker in which graphs are laid out: a request in, a reply out.
 *
 * @module
 */
import { dagreLayout } from './graph-dagre.ts';
import type { LayoutReply, LayoutRequest } from './graph-layout.ts';

interface WorkerScope {
  addEventListener(type: 'message', listener: (event: { data: LayoutRequest }) => void): void;
  postMessage(message: LayoutReply): void;
}

const scope = globalThis as unknown as WorkerScope;

scope.addEventListener('message', ({ data }) => {
  try {
    scope.postMessage({ id: data.id, layout: dagreLayout(data) });
  } catch (error) {
    scope.postMessage({ id: data.id, error: error instanceof Error ? error.message : String(error) });
  }
});
