/**
 * A long list of which only what is in sight is in the page: rows of one height each.
 *
 * @module
 */
import type { ComponentChildren, RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

interface RowsProps {
  count: number;
  /** Pixels. */
  rowHeight: number;
  label: string;
  render(index: number): ComponentChildren;
  /** Stays at the end as rows come, until the reader scrolls away from there. */
  follow?: boolean;
  /** The reader has scrolled away from the end, or back to it. */
  onEnd?(atEnd: boolean): void;
  className?: string;
}

/** Rows above and below what is in sight. */
const OVERSCAN = 12;
/** Pixels: nearer to the end is at the end. */
const NEAR = 4;

export function Rows({ count, rowHeight, label, render, follow = false, onEnd, className = '' }: RowsProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  const atEnd = useRef(true);
  useView(scroller, setView);
  useLayoutEffect(() => {
    const box = scroller.current;
    if (follow && box) box.scrollTop = box.scrollHeight;
  }, [count, follow]);
  const first = Math.max(0, Math.floor(view.top / rowHeight) - OVERSCAN);
  const last = Math.min(count, Math.ceil((view.top + view.height) / rowHeight) + OVERSCAN);
  const scrolled = (): void => {
    const box = scroller.current;
    if (!box || !onEnd) return;
    const ends = box.scrollTop + box.clientHeight >= box.scrollHeight - NEAR;
    if (ends !== atEnd.current) onEnd(ends);
    atEnd.current = ends;
  };
  return (
    <div ref={scroller} class={`rows ${className}`} tabIndex={0} role="region" aria-label={label} onScroll={scrolled}>
      <div class="rows-all" style={{ height: `${count * rowHeight}px` }}>
        <div class="rows-seen" style={{ transform: `translateY(${first * rowHeight}px)` }}>
          {Array.from({ length: Math.max(0, last - first) }, (_, place) => render(first + place))}
        </div>
      </div>
    </div>
  );
}

function useView(
  scroller: RefObject<HTMLDivElement | null>,
  setView: (view: { top: number; height: number }) => void,
): void {
  useLayoutEffect(() => {
    const box = scroller.current;
    if (!box) return;
    let frame: number | undefined;
    const look = (): void => {
      frame ??= requestAnimationFrame(() => {
        frame = undefined;
        setView({ top: box.scrollTop, height: box.clientHeight });
      });
    };
    const sizes = new ResizeObserver(look);
    sizes.observe(box);
    box.addEventListener('scroll', look, { passive: true });
    return () => {
      sizes.disconnect();
      box.removeEventListener('scroll', look);
      if (frame !== undefined) cancelAnimationFrame(frame);
    };
  }, []);
}
