/**
 * Panning and zooming a graph by pointers: drag, wheel, and two fingers.
 *
 * @module
 */
import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { type Camera, panCamera, zoomCamera } from './graph-camera.ts';

/** Fewer pixels are a click. */
const CLICK = 4;

/** @param change takes the camera and gives the next one; called at most once a frame */
export function useGraphPointers(
  element: RefObject<HTMLElement | null>,
  change: (by: (camera: Camera) => Camera) => void,
): void {
  const newest = useRef(change);
  newest.current = change;
  useEffect(() => {
    const target = element.current;
    if (!target) return;
    const pointers = new Map<number, { x: number; y: number }>();
    let moved = 0;
    let frame = 0;
    let queued: ((camera: Camera) => Camera)[] = [];
    const queue = (by: (camera: Camera) => Camera): void => {
      queued.push(by);
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        const all = queued;
        queued = [];
        newest.current((camera) => all.reduce((now, next) => next(now), camera));
      });
    };
    const at = (event: MouseEvent): { x: number; y: number } => {
      const box = target.getBoundingClientRect();
      return { x: event.clientX - box.left, y: event.clientY - box.top };
    };
    const wheel = (event: WheelEvent): void => {
      // A page is scrolled over a graph without getting caught in it.
      if (!event.ctrlKey && !event.metaKey && document.activeElement !== target) return;
      event.preventDefault();
      const anchor = at(event);
      const factor = Math.exp(-Math.max(-100, Math.min(100, event.deltaY)) / 250);
      queue((camera) => zoomCamera(camera, factor, anchor));
    };
    const down = (event: PointerEvent): void => {
      if (event.button !== 0) return;
      pointers.set(event.pointerId, at(event));
      if (pointers.size === 1) moved = 0;
    };
    const move = (event: PointerEvent): void => {
      const before = pointers.get(event.pointerId);
      if (!before) return;
      const now = at(event);
      const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
      pointers.set(event.pointerId, now);
      moved += Math.abs(now.x - before.x) + Math.abs(now.y - before.y);
      if (moved < CLICK) return;
      if (!target.hasPointerCapture(event.pointerId)) target.setPointerCapture(event.pointerId);
      if (other) {
        const factor = distance(now, other) / Math.max(1, distance(before, other));
        queue((camera) => zoomCamera(camera, factor, other));
      } else queue((camera) => panCamera(camera, now.x - before.x, now.y - before.y));
    };
    const up = (event: PointerEvent): void => {
      pointers.delete(event.pointerId);
    };
    const click = (event: MouseEvent): void => {
      // The click that ends a drag.
      if (moved >= CLICK) event.stopPropagation();
      moved = 0;
    };
    target.addEventListener('wheel', wheel, { passive: false });
    target.addEventListener('pointerdown', down);
    target.addEventListener('pointermove', move);
    target.addEventListener('pointerup', up);
    target.addEventListener('pointercancel', up);
    target.addEventListener('click', click, { capture: true });
    return () => {
      cancelAnimationFrame(frame);
      target.removeEventListener('wheel', wheel);
      target.removeEventListener('pointerdown', down);
      target.removeEventListener('pointermove', move);
      target.removeEventListener('pointerup', up);
      target.removeEventListener('pointercancel', up);
      target.removeEventListener('click', click, { capture: true });
    };
  }, [element]);
}

const distance = (one: { x: number; y: number }, other: { x: number; y: number }): number =>
  Math.hypot(one.x - other.x, one.y - other.y);
