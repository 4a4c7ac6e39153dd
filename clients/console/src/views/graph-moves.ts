/**
 * Where the arrow keys lead to in a graph.
 *
 * @module
 */
import type { Layout } from './graph-layout.ts';

export type Direction = 'Up' | 'Down' | 'Left' | 'Right';

const VECTORS: Readonly<Record<Direction, readonly [number, number]>> = {
  Up: [0, -1],
  Down: [0, 1],
  Left: [-1, 0],
  Right: [1, 0],
};

/** The nearest in that direction: sideways counts double. The node itself where there is none. */
export function nextNode({ nodes }: Pick<Layout, 'nodes'>, from: number, direction: Direction): number {
  const here = nodes[from];
  if (!here) return from;
  const [dx, dy] = VECTORS[direction];
  let best = from;
  let least = Infinity;
  for (const [place, node] of nodes.entries()) {
    const ahead = (node.x - here.x) * dx + (node.y - here.y) * dy;
    const aside = Math.abs((node.x - here.x) * dy) + Math.abs((node.y - here.y) * dx);
    // Left and right go to another layer, up and down stay near to this one.
    if (place === from || ahead < 1) continue;
    const distance = ahead + 2 * aside;
    if (distance < least) [best, least] = [place, distance];
  }
  return best;
}
