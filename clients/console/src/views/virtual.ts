/**
 * Rows of which only those in sight are in the page: TanStack's virtualiser as a hook.
 *
 * @module
 */
import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  type VirtualItem,
  Virtualizer,
} from '@tanstack/virtual-core';
import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useReducer, useState } from 'preact/hooks';

export interface VirtualRowsOptions {
  count: number;
  scroller: RefObject<HTMLElement | null>;
  /** Pixels: of a row, before it has been measured. */
  rowHeight: number;
  /** Identity of a row, so that what was measured stays with it. Another function means that all are looked at again. */
  keyOf?: (index: number) => string | number;
  /** Pixels above the rows that stick, such as a head. */
  stickyTop?: number;
}

export interface VirtualRows {
  items: readonly VirtualItem[];
  /** Pixels: of all rows. */
  height: number;
  /** As a row's `ref`, where heights differ; the row needs `data-index`. */
  measure: (element: Element | null) => void;
  reveal: (index: number) => void;
}

export function useVirtualRows({ count, scroller, rowHeight, keyOf, stickyTop = 0 }: VirtualRowsOptions): VirtualRows {
  const [, rerender] = useReducer((turn: number) => turn + 1, 0);
  const options = {
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 8,
    // Rows begin below the head: what the head takes is missing at the end.
    scrollPaddingEnd: stickyTop,
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    onChange: () => rerender(undefined),
    ...(keyOf && { getItemKey: keyOf }),
  };
  const [virtualizer] = useState(() => new Virtualizer<HTMLElement, Element>(options));
  virtualizer.setOptions(options);
  useEffect(() => virtualizer._didMount(), [virtualizer]);
  useLayoutEffect(() => virtualizer._willUpdate());
  return {
    items: virtualizer.getVirtualItems(),
    height: virtualizer.getTotalSize(),
    measure: virtualizer.measureElement,
    reveal: (index) => virtualizer.scrollToIndex(index, { align: 'auto' }),
  };
}
