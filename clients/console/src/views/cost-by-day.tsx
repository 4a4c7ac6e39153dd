/**
 * A cost report as stacked bars, with a legend that says the amounts and a table that says all of them.
 *
 * @module
 */
import 'uplot/dist/uPlot.min.css';
import './charts.css';
import { useMemo, useRef, useState } from 'preact/hooks';
import type uPlot from 'uplot';
import type { CostReport } from '../../../live/costs.ts';
import { pileUp, type Stacks, stacksOf } from './cost-stacks.ts';
import { stackOptions, usePlot } from './plot.ts';

export interface CostByDayProps {
  /** Of any grouping; a day a bar when it is by day. */
  report: Pick<CostReport, 'rows' | 'by'>;
}

/** Colours there are: further components share the last. */
export const COLOURS = 8;
const colourOf = (place: number): string => `var(--chart-${Math.min(place, COLOURS - 1)})`;

export function CostByDay({ report }: CostByDayProps) {
  const stacks = useMemo(() => stacksOf(report), [report]);
  if (stacks.length === 0) return <p class="ch">Nothing has been charged in this time.</p>;
  return (
    <>
      {stacks.map((stack) => (
        <StackedBars key={stack.currency} stacks={stack} by={report.by} />
      ))}
    </>
  );
}

function StackedBars({ stacks, by }: { stacks: Stacks; by: string }) {
  const { currency, groups, components, texts, totals } = stacks;
  const [pointed, setPointed] = useState<number>();
  const legend = useRef<HTMLUListElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const data = useMemo<uPlot.AlignedData>(() => [[...groups.keys()], ...pileUp(stacks.amounts)], [stacks]);
  const options = useMemo(
    () =>
      stackOptions({
        groups,
        currency,
        // Read where the theme is: from the legend. The highest bar is drawn first, and is the last component.
        colour: (series) => swatchColour(legend.current, components.length - series),
        series: components.length,
        onPoint: setPointed,
      }),
    [stacks],
  );
  usePlot(frame, options, data);
  const chosen = pointed === undefined ? undefined : groups[pointed];
  return (
    <figure class="ch">
      <div
        ref={frame}
        class="ch-plot"
        role="img"
        aria-label={`Cost in ${currency} by ${by}; the table below has the figures`}
      />
      <figcaption>
        <ul ref={legend} class="ch-legend">
          {components.map((component, place) => (
            <li key={component}>
              <span class="ch-swatch" style={{ backgroundColor: colourOf(place) }} />
              {component}
              {pointed !== undefined && <span class="ch-figure"> {texts[place]?.[pointed] || '0'}</span>}
            </li>
          ))}
          <li class="ch-figure">
            {chosen === undefined ? currency : `${chosen}: ${totals[pointed as number]} ${currency}`}
          </li>
        </ul>
        <details class="ch-table">
          <summary>As a table</summary>
          <table>
            <thead>
              <tr>
                <th scope="col">{by}</th>
                {components.map((component) => (
                  <th key={component} scope="col">
                    {component}
                  </th>
                ))}
                <th scope="col">total, {currency}</th>
              </tr>
            </thead>
            <tbody>
              {groups.map((group, place) => (
                <tr key={group}>
                  <th scope="row">{group}</th>
                  {components.map((component, row) => (
                    <td key={component}>{texts[row]?.[place] ?? ''}</td>
                  ))}
                  <td>{totals[place]}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      </figcaption>
    </figure>
  );
}

function swatchColour(legend: HTMLElement | null, place: number): string {
  const swatch = legend?.querySelectorAll('.ch-swatch')[place];
  return swatch ? getComputedStyle(swatch).backgroundColor : 'gray';
}
