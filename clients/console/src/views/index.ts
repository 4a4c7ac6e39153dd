/**
 * The console's pictures of a run. Pages take them from here.
 *
 * @module
 */
export { Graph, type GraphProps } from './graph.tsx';
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
export { Timeline, type TimelineProps } from './timeline.tsx';
export { type Look, lookOf, type Tone } from './tones.ts';
