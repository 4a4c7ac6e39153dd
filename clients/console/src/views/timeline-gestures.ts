/**
 * What pointers and wheels do to the timeline: ctrl and wheel zooms, dragging selects a range, a double click resets.
 *
 * @module
 */
import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

export interface Gestures {
  /** Pixels from the left of the scroller at which the plot begins. */
  left: number;
  zoom(factor: number, x: number): void;
  pan(share: number): void;
  /** A range was dragged: in pixels of the plot. */
  range(x0: number, x1: number): void;
  reset(): void;
}

/** What is being dragged, in pixels of the plot. */
export interface Drag {
  x0: number;
  x1: number;
}

/** Fewer pixels are a click. */
const CLICK = 5;

export function useTimelineGestures(scroller: RefObject<HTMLElement | null>, gestures: Gestures): Drag | undefined {
  const newest = useRef(gestures);
  newest.current = gestures;
  const [drag, setDrag] = useState<Drag>();
  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    let from: number | undefined;
    let now: Drag | undefined;
    const xOf = (event: MouseEvent): number =>
      event.clientX - element.getBoundingClientRect().left - element.clientLeft - newest.current.left;
    const show = (next: Drag | undefined): void => {
      now = next;
      setDrag(next);
    };

    const wheel = (event: WheelEvent): void => {
      if (event.ctrlKey || event.metaKey) {
        event.preventDefault();
        newest.current.zoom(Math.exp(Math.max(-100, Math.min(100, event.deltaY)) / 200), xOf(event));
      } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        event.preventDefault();
        newest.current.pan((event.deltaX || event.deltaY) / 800);
      }
    };
    const down = (event: PointerEvent): void => {
      // A finger scrolls; it zooms by the buttons.
      if (event.button !== 0 || event.pointerType === 'touch') return;
      const x = xOf(event);
      if (x >= 0) from = x;
    };
    const move = (event: PointerEvent): void => {
      if (from === undefined) return;
      const x = xOf(event);
      if (!now && Math.abs(x - from) < CLICK) return;
      if (!now) element.setPointerCapture(event.pointerId);
      show({ x0: Math.max(0, Math.min(from, x)), x1: Math.max(from, x) });
    };
    const up = (): void => {
      if (now) {
        newest.current.range(now.x0, now.x1);
        // The click that follows belongs to the drag.
        addEventListener('click', swallow, { capture: true, once: true });
        setTimeout(() => removeEventListener('click', swallow, { capture: true }));
      }
      end();
    };
    const swallow = (event: Event): void => event.stopPropagation();
    const end = (): void => {
      from = undefined;
      show(undefined);
    };
    const escape = (event: KeyboardEvent): void => {
      if (event.key === 'Escape' && now) end();
    };
    const reset = (event: MouseEvent): void => {
      if (xOf(event) >= 0) newest.current.reset();
    };

    element.addEventListener('wheel', wheel, { passive: false });
    element.addEventListener('pointerdown', down);
    element.addEventListener('pointermove', move);
    element.addEventListener('pointerup', up);
    element.addEventListener('pointercancel', end);
    element.addEventListener('dblclick', reset);
    addEventListener('keydown', escape);
    return () => {
      element.removeEventListener('wheel', wheel);
      element.removeEventListener('pointerdown', down);
      element.removeEventListener('pointermove', move);
      element.removeEventListener('pointerup', up);
      element.removeEventListener('pointercancel', end);
      element.removeEventListener('dblclick', reset);
      removeEventListener('keydown', escape);
    };
  }, [scroller]);
  return drag;
}
