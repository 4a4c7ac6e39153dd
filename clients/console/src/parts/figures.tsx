/**
 * Times, lengths of time, shares.
 *
 * @module
 */
import { duration, isTime, moment, percentText, relative } from '../format.ts';
import { now } from '../hooks.ts';

/** How long ago or how soon; on hover the moment itself. */
export const Ago = ({ at }: { at: number }) =>
  isTime(at) ? (
    <time dateTime={new Date(at).toISOString()} title={moment(at)}>
      {relative(at, now.value)}
    </time>
  ) : (
    <>–</>
  );

/** How long it took, or has taken up to now. */
export const Took = ({ from, to }: { from: number; to?: number | undefined }) => (
  <span class="figure" title={`from ${moment(from)}${to === undefined ? '' : ` to ${moment(to)}`}`}>
    {duration((to ?? now.value) - from)}
  </span>
);

export function Bar({ percent, label, tone = 'busy' }: { percent: number; label: string; tone?: string }) {
  const share = Math.min(100, Math.max(0, percent));
  return (
    <span class="bar">
      <span
        class={`bar-track t-${tone}`}
        role="progressbar"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.floor(share)}
      >
        <span class="bar-fill" style={{ transform: `scaleX(${share / 100})` }} />
      </span>
      <span class="bar-text" aria-hidden="true">
        {percentText(share)}
      </span>
    </span>
  );
}
