/**
 * Launches as points of time and cost, as SVG: for a page, a document or a paper; light and dark by the reader's own
 * setting, readable to a screen reader, without a script.
 *
 * @module
 */
import type { Comparison } from './compare.ts';

const SIZE = { width: 720, height: 440 } as const;
const EDGE = { left: 84, right: 150, top: 48, bottom: 60 } as const;
const TICKS = 5;
const LINE = 16;
/** Of the label's letters, on average. */
const CHARACTER = 7;

const STYLE = `
text { font: 13px system-ui, sans-serif; fill: #1d2733; }
.title { font-size: 16px; font-weight: 600; }
.back { fill: #ffffff; }
.grid { stroke: #d5dbe1; }
.axis { stroke: #6b7683; }
.point { fill: #0b6bcb; stroke: #ffffff; stroke-width: 2; }
.beaten { fill: #8a94a0; }
.lead { stroke: #8a94a0; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6ebf0; }
  .back { fill: #14191f; }
  .grid { stroke: #313a44; }
  .axis { stroke: #8a94a0; }
  .point { fill: #6cb6ff; stroke: #14191f; }
  .beaten { fill: #6b7683; }
}
`;

/** @throws Error where costs are of several currencies: there is no one axis for them */
export function comparisonSvg({ launches, verdict }: Comparison): string {
  const currencies = [...new Set(launches.map(({ currency }) => currency))];
  const [currency = ''] = currencies;
  if (currencies.length > 1) throw new Error(`no plot: the costs are in ${currencies.join(' and ')}`);
  const points = launches.map(({ launchId, runningSeconds, total, computeService, status }) => ({
    launchId,
    words: `${launchId} (${computeService}${status === 'COMPLETE' ? '' : `, ${status}`})`,
    time: runningSeconds,
    cost: Number(total),
    beaten: !verdict.paretoOptimal.includes(launchId),
  }));
  const unit = timeUnit(Math.max(0, ...points.map(({ time }) => time)));
  const x = scaleOf(
    points.map(({ time }) => time / unit.seconds),
    EDGE.left,
    SIZE.width - EDGE.right,
  );
  const y = scaleOf(
    points.map(({ cost }) => cost),
    SIZE.height - EDGE.bottom,
    EDGE.top,
  );
  const placed = points.map((point) => ({ ...point, x: x.at(point.time / unit.seconds), y: y.at(point.cost) }));
  const described = points.map(
    ({ words, time, cost }) => `${words}: ${short(time / unit.seconds)} ${unit.name}, ${cost} ${currency}`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}" role="img" aria-labelledby="title description">
<title id="title">Time and cost of ${points.length} launches</title>
<desc id="description">${escape(described.join('; '))}</desc>
<style>${STYLE}</style>
<rect class="back" width="${SIZE.width}" height="${SIZE.height}"/>
<text class="title" x="${EDGE.left}" y="26">Time and cost of ${points.length} launches</text>
${x.ticks.map((tick) => verticalLine(x.at(tick), short(tick))).join('\n')}
${y.ticks.map((tick) => horizontalLine(y.at(tick), short(tick))).join('\n')}
<path class="axis" fill="none" d="M${EDGE.left} ${EDGE.top}V${SIZE.height - EDGE.bottom}H${SIZE.width - EDGE.right}"/>
<text x="${(EDGE.left + SIZE.width - EDGE.right) / 2}" y="${SIZE.height - 14}" text-anchor="middle">running, ${unit.name}</text>
<text transform="translate(22 ${(EDGE.top + SIZE.height - EDGE.bottom) / 2}) rotate(-90)" text-anchor="middle">cost, ${escape(currency)}</text>
${labelled(placed).join('\n')}
</svg>
`;
}

interface Placed {
  words: string;
  x: number;
  y: number;
  beaten: boolean;
}

/** Labels that would lie on each other move down, and a line leads to their point. */
function labelled(points: readonly Placed[]): string[] {
  const taken: { x: number; y: number }[] = [];
  return points
    .toSorted((a, b) => a.y - b.y)
    .map((point) => {
      let y = point.y + 4;
      while (taken.some((other) => Math.abs(other.x - point.x) < 300 && Math.abs(other.y - y) < LINE)) y += LINE;
      taken.push({ x: point.x, y });
      const words = cut(point.words);
      // Beside the point; to its left where it would not fit.
      const left = point.x + words.length * CHARACTER > SIZE.width - 16;
      const x = point.x + (left ? -12 : 12);
      const lead =
        y - point.y > LINE ? `<path class="lead" d="M${one(point.x)} ${one(point.y)}L${one(x)} ${one(y - 4)}"/>` : '';
      const kind = point.beaten ? 'point beaten' : 'point';
      const anchor = left ? ' text-anchor="end"' : '';
      return `${lead}<circle class="${kind}" cx="${one(point.x)}" cy="${one(point.y)}" r="7"/><text x="${one(x)}" y="${one(y)}"${anchor}>${escape(words)}</text>`;
    });
}

const verticalLine = (x: number, label: string): string =>
  `<path class="grid" d="M${one(x)} ${EDGE.top}V${SIZE.height - EDGE.bottom}"/><text x="${one(x)}" y="${SIZE.height - EDGE.bottom + 20}" text-anchor="middle">${label}</text>`;

const horizontalLine = (y: number, label: string): string =>
  `<path class="grid" d="M${EDGE.left} ${one(y)}H${SIZE.width - EDGE.right}"/><text x="${EDGE.left - 8}" y="${one(y + 4)}" text-anchor="end">${label}</text>`;

/** Linear from 0: lengths that are twice as long are twice as much. */
function scaleOf(values: readonly number[], from: number, to: number) {
  const most = Math.max(0, ...values) || 1;
  const rough = most / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const count = Math.ceil(most / step - 1e-9);
  return {
    ticks: Array.from({ length: count + 1 }, (_, place) => place * step),
    at: (value: number) => from + (value / (count * step)) * (to - from),
  };
}

function timeUnit(seconds: number): { name: string; seconds: number } {
  if (seconds < 300) return { name: 'seconds', seconds: 1 };
  return seconds < 10_800 ? { name: 'minutes', seconds: 60 } : { name: 'hours', seconds: 3_600 };
}

const one = (value: number): string => String(Math.round(value * 10) / 10);
const short = (value: number): string => String(Number(value.toPrecision(4)));
const cut = (words: string): string => (words.length > 40 ? `${words.slice(0, 39)}…` : words);

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Characters that XML does not have are left out. */
const escape = (value: string): string =>
  value
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
    .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
