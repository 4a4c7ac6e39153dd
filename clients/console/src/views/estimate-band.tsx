/**
 * What was expected and what came: the range in which eight of ten should lie, its middle, and the actual value.
 *
 * @module
 */
import './charts.css';
import type { Band } from '../../../live/costs.ts';

export interface EstimateBandProps {
  rows: readonly { label: string; estimate: Band; actual?: number | undefined }[];
  /** Of all rows. */
  format: (value: number) => string;
}

export function EstimateBand({ rows, format }: EstimateBandProps) {
  const most = Math.max(...rows.map(({ estimate, actual }) => Math.max(estimate.p90, actual ?? 0)), 0);
  const share = (value: number): string => `${most > 0 ? (Math.max(0, value) / most) * 96 : 0}%`;
  return (
    <div class="ch">
      {rows.map(({ label, estimate: { p10, p90, expected }, actual }) => (
        <div key={label} class="ch-band-row">
          <span>{label}</span>
          <span class="ch-band" aria-hidden="true">
            <span class="ch-band-range" style={{ left: share(p10), width: `calc(${share(p90)} - ${share(p10)})` }} />
            <span class="ch-band-expected" style={{ left: share(expected) }} />
            {actual !== undefined && <span class="ch-band-actual" style={{ left: share(actual) }} />}
          </span>
          <span class="ch-band-text">
            expected {format(expected)}, {format(p10)} to {format(p90)}
            {actual !== undefined && `; actual ${format(actual)}, ${judge(actual, p10, p90)}`}
          </span>
        </div>
      ))}
    </div>
  );
}

const judge = (actual: number, p10: number, p90: number): string => {
  if (actual < p10) return 'below the range';
  return actual > p90 ? 'above the range' : 'within the range';
};
