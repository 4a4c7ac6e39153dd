/**
 * What part of a graph is to be seen: scale and offset, and how pointers, keys and buttons change them.
 *
 * @module
 */
import { type Layout, NODE_HEIGHT, NODE_WIDTH, type Point } from './graph-layout.ts';

/** On the screen a point is at `point * scale + offset`. */
export interface Camera {
  scale: number;
  x: number;
  y: number;
}

export interface Size {
  width: number;
  height: number;
}

export const SCALES = { min: 0.02, max: 3, fit: 1.25 } as const;
/** Below this, text cannot be read and is not drawn. */
export const TEXT_SCALE = 0.3;

/** All of it, in the middle. */
export function fitCamera(layout: Size, view: Size): Camera {
  if (layout.width <= 0 || layout.height <= 0 || view.width <= 0 || view.height <= 0) return { scale: 1, x: 0, y: 0 };
  const scale = clampScale(Math.min(view.width / layout.width, view.height / layout.height, SCALES.fit));
  return { scale, x: (view.width - layout.width * scale) / 2, y: (view.height - layout.height * scale) / 2 };
}

/** Below this, a graph is not shown whole at first but where it matters. */
const READABLE = 0.6;

/** What is shown first: all of it where that can be read, otherwise the surroundings of `focus`. */
export function firstCamera(layout: Layout, focus: number, view: Size): Camera {
  const fit = fitCamera(layout, view);
  const at = layout.nodes[focus];
  if (fit.scale >= READABLE || !at || view.width <= 0) return fit;
  const middle = { scale: READABLE, x: view.width / 2 - at.x * READABLE, y: view.height / 2 - at.y * READABLE };
  return {
    scale: READABLE,
    x: within(middle.x, layout.width * READABLE, view.width),
    y: within(middle.y, layout.height * READABLE, view.height),
  };
}

/** No more empty space at an edge than there has to be. */
const within = (offset: number, length: number, size: number): number =>
  length <= size ? (size - length) / 2 : Math.min(0, Math.max(size - length, offset));

const clampScale = (scale: number): number => Math.min(SCALES.max, Math.max(SCALES.min, scale));

/** What is under the anchor (screen) stays there. */
export function zoomCamera({ scale, x, y }: Camera, factor: number, anchor: Point): Camera {
  const next = clampScale(scale * factor);
  const ratio = next / scale;
  return { scale: next, x: anchor.x - (anchor.x - x) * ratio, y: anchor.y - (anchor.y - y) * ratio };
}

export const panCamera = ({ scale, x, y }: Camera, dx: number, dy: number): Camera => ({ scale, x: x + dx, y: y + dy });

/** Moved as little as shows the node whole. */
export function revealNode(camera: Camera, node: Point, view: Size): Camera {
  const halfWidth = (NODE_WIDTH / 2 + 12) * camera.scale;
  const halfHeight = (NODE_HEIGHT / 2 + 12) * camera.scale;
  const at = { x: node.x * camera.scale + camera.x, y: node.y * camera.scale + camera.y };
  return panCamera(camera, inside(at.x, halfWidth, view.width) - at.x, inside(at.y, halfHeight, view.height) - at.y);
}

const inside = (at: number, half: number, size: number): number => Math.max(half, Math.min(size - half, at));

/** Places of nodes that are to be seen, or nearly. */
export function visibleNodes({ nodes }: Pick<Layout, 'nodes'>, camera: Camera, view: Size): number[] {
  const box = visibleBox(camera, view);
  const visible: number[] = [];
  for (const [place, node] of nodes.entries()) {
    if (node.x > box.left && node.x < box.right && node.y > box.top && node.y < box.bottom) visible.push(place);
  }
  return visible;
}

/** Whether an edge may be seen: its bends' box and the view's meet. */
export function isEdgeVisible(points: readonly Point[], camera: Camera, view: Size): boolean {
  const box = visibleBox(camera, view);
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const { x, y } of points) {
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  return left < box.right && right > box.left && top < box.bottom && bottom > box.top;
}

function visibleBox({ scale, x, y }: Camera, view: Size): { left: number; right: number; top: number; bottom: number } {
  return {
    left: -x / scale - NODE_WIDTH,
    right: (view.width - x) / scale + NODE_WIDTH,
    top: -y / scale - NODE_HEIGHT,
    bottom: (view.height - y) / scale + NODE_HEIGHT,
  };
}
