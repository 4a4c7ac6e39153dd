/**
 * The console's pictures of a run. Pages take them from here.
 *
 * @module
 */
export { CostByDay, type CostByDayProps } from './cost-by-day.tsx';
export { EstimateBand, type EstimateBandProps } from './estimate-band.tsx';
export { Graph, type GraphProps } from './graph.tsx';
export { beginningOf, createHistory, type History, type Mark } from './history.ts';
export {
  Duration,
  type DurationProps,
  ProgressBar,
  type ProgressBarProps,
  RelativeTime,
  type RelativeTimeProps,
  StateBadge,
  type StateBadgeProps,
  StatusHistory,
  type StatusHistoryProps,
  useNow,
} from './parts.tsx';
export { Scrubber, type ScrubberProps } from './scrubber.tsx';
export { StepsTable, type StepsTableProps } from './steps-table.tsx';
export { Timeline, type TimelineProps } from './timeline.tsx';
export { type Look, lookOf, type Tone } from './tones.ts';
