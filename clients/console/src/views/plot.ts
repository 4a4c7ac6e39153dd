/**
 * uPlot as a hook: as wide as its frame, in the colours of the theme, also when that changes.
 *
 * @module
 */
import type { RefObject } from 'preact';
import { useLayoutEffect } from 'preact/hooks';
import uPlot from 'uplot';
import { onThemeChange } from './theme-change.ts';

const HEIGHT = 260;

/** @param options the same object as long as the picture is to stay */
export function usePlot(
  frame: RefObject<HTMLElement | null>,
  options: Omit<uPlot.Options, 'width' | 'height'>,
  data: uPlot.AlignedData,
): void {
  useLayoutEffect(() => {
    const element = frame.current;
    if (!element) return;
    const plot = new uPlot({ ...options, width: Math.max(120, element.clientWidth), height: HEIGHT }, data, element);
    const stop = onThemeChange(() => plot.redraw(false));
    const observer = new ResizeObserver(() => {
      const width = Math.max(120, element.clientWidth);
      if (width !== plot.width) plot.setSize({ width, height: HEIGHT });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      stop();
      plot.destroy();
    };
  }, [frame, options, data]);
}

/** A colour of the theme, as it is now. */
const themed = (plot: uPlot, property: string): string => getComputedStyle(plot.root).getPropertyValue(property).trim();

export interface StackOptions {
  groups: readonly string[];
  currency: string;
  series: number;
  /** Of a series, from 1. */
  colour: (series: number) => string;
  onPoint: (group: number | undefined) => void;
}

export function stackOptions(wanted: StackOptions): Omit<uPlot.Options, 'width' | 'height'> {
  const { groups, series, colour, onPoint } = wanted;
  const bars = uPlot.paths.bars?.({ size: [0.7, 64] });
  const axis: Pick<uPlot.Axis, 'stroke' | 'grid' | 'ticks'> = {
    stroke: (plot) => themed(plot, '--text-2'),
    grid: { stroke: (plot) => themed(plot, '--line'), width: 1 },
    ticks: { stroke: (plot) => themed(plot, '--line'), width: 1 },
  };
  return {
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, y: false, points: { show: false } },
    scales: {
      x: { time: false, range: [-0.6, Math.max(0, groups.length - 1) + 0.6] },
      y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.08 : 1] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        incrs: [1, 2, 5, 7, 10, 14, 30, 50, 100, 365],
        // As many labels as have room: of days, the year is said once.
        space: Math.max(...groups.map((group) => shortGroup(group).length), 4) * 8 + 12,
        values: (_plot, splits) =>
          splits.map((place) => (Number.isInteger(place) ? shortGroup(groups[place] ?? '') : '')),
      },
      {
        ...axis,
        size: 64,
        values: (_plot, splits) =>
          splits.map((amount) => amount.toLocaleString(undefined, { maximumFractionDigits: 6 })),
      },
    ],
    series: [
      {},
      ...Array.from({ length: series }, (_, place) => ({
        fill: () => colour(place + 1),
        stroke: () => colour(place + 1),
        width: 0,
        points: { show: false },
        ...(bars && { paths: bars }),
      })),
    ],
    hooks: { setCursor: [(plot) => onPoint(plot.cursor.idx ?? undefined)] },
  };
}

/** `2026-11-05` is `11-05`. */
const shortGroup = (group: string): string => (/^\d{4}-\d\d-\d\d$/.test(group) ? group.slice(5) : group);
