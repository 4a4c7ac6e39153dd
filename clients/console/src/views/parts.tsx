/**
 * Small parts that every picture uses: states, durations, progress, the history of a status.
 *
 * @module
 */
import './parts.css';
import { useEffect, useState } from 'preact/hooks';
import type { Snapshot } from '../../../../workflows/progress/model.ts';
import { duration, relative } from '../format.ts';
import { formatMoment, isoTime } from './time-format.ts';
import { lookOf, TONE_CLASS, type Tone } from './tones.ts';

/** Epoch ms, which moves on by itself while `live`. */
export function useNow(live: boolean, everyMs = 1_000): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!live) return;
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [live, everyMs]);
  return now;
}

export interface StateBadgeProps {
  /** Of a step, or of a run in the words of its domain. */
  state: string;
  /** Instead of the state's own word. */
  label?: string;
}

export function StateBadge({ state, label }: StateBadgeProps) {
  const look = lookOf(state);
  return (
    <span class={`v-badge ${TONE_CLASS[look.tone]}`}>
      <span class="v-badge-icon" aria-hidden="true">
        {look.icon}
      </span>
      {label ?? look.label}
    </span>
  );
}

export interface ProgressBarProps {
  /** 0 to 100; unknown when absent. */
  percent?: number | undefined;
  tone?: Tone;
  /** Of what. */
  label: string;
}

export function ProgressBar({ percent, tone = 'run', label }: ProgressBarProps) {
  const done = percent === undefined ? undefined : Math.min(100, Math.max(0, percent));
  return (
    <span
      class={`v-progress ${TONE_CLASS[tone]}`}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      {...(done !== undefined && { 'aria-valuenow': Math.floor(done) })}
    >
      <span class="v-progress-done" style={{ width: `${done ?? 0}%` }} />
    </span>
  );
}

export interface DurationProps {
  /** Epoch ms. */
  from: number;
  /** Epoch ms; goes on when absent. */
  to?: number | undefined;
  /** Epoch ms: instead of this machine's clock, for a run as it was. */
  now?: number;
}

export function Duration({ from, to, now }: DurationProps) {
  const clock = useNow(to === undefined && now === undefined);
  return <span>{duration((to ?? now ?? clock) - from)}</span>;
}

export interface RelativeTimeProps {
  /** Epoch ms. */
  at: number;
  now?: number;
}

export function RelativeTime({ at, now }: RelativeTimeProps) {
  const clock = useNow(now === undefined, 5_000);
  return (
    <time dateTime={isoTime(at) ?? ''} title={formatMoment(at)}>
      {relative(at, now ?? clock)}
    </time>
  );
}

export interface StatusHistoryProps {
  snapshot: Pick<Snapshot, 'statuses' | 'endedAt'>;
  now?: number;
}

/** Every status with its time and how long it held, the newest first. */
export function StatusHistory({ snapshot: { statuses, endedAt }, now }: StatusHistoryProps) {
  const clock = useNow(endedAt === undefined && now === undefined);
  const until = endedAt ?? now ?? clock;
  return (
    <ol class="v-history" reversed>
      {statuses
        .map((reached, place) => {
          const next = statuses[place + 1];
          return (
            <li key={place} {...(!next && { 'aria-current': 'step' as const })}>
              <StateBadge state={reached.status} />
              {reached.waitingFor !== undefined && <span>waiting for {reached.waitingFor}</span>}
              <time class="v-history-note" dateTime={isoTime(reached.at) ?? ''}>
                {formatMoment(reached.at)}
              </time>
              {(next || endedAt === undefined) && (
                <span class="v-history-note">for {duration((next?.at ?? until) - reached.at)}</span>
              )}
              {reached.attempt > 1 && <span class="v-history-note">attempt {reached.attempt}</span>}
            </li>
          );
        })
        .reverse()}
    </ol>
  );
}
