/**
 * Small parts that the pictures share: the state of a step, the time as it goes on.
 *
 * @module
 */
import './parts.css';
import { useEffect, useState } from 'preact/hooks';
import { lookOf, TONE_CLASS } from './tones.ts';

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
}

export function StateBadge({ state }: StateBadgeProps) {
  const look = lookOf(state);
  return (
    <span class={`v-badge ${TONE_CLASS[look.tone]}`}>
      <span class="v-badge-icon" aria-hidden="true">
        {look.icon}
      </span>
      {look.label}
    </span>
  );
}
