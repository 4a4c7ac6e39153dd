/**
 * What everything has cost: sums by consumer, type, service or time, as `longhaul cost report` has them.
 *
 * @module
 */
import type { CostReport } from '../../../live/api.ts';
import { COST_GROUPINGS, type CostGrouping } from '../../../live/costs.ts';
import { count, money } from '../format.ts';
import { useResource } from '../hooks.ts';
import { ask } from '../http.ts';
import { query, setQuery } from '../location.ts';
import { Download } from '../parts/download.tsx';
import { Empty, Problem, Skeleton } from '../parts/notes.tsx';
import { Table } from '../parts/table.tsx';
import { CostByDay } from '../views/cost-by-day.tsx';

const WORDS: Readonly<Record<CostGrouping, string>> = {
  consumer: 'Consumer',
  type: 'Workflow type',
  day: 'Day',
  week: 'Week',
  month: 'Month',
  compute: 'Compute service',
};

/** Of today and of the first of the month, UTC as the ledger's. */
const today = (): string => new Date().toISOString().slice(0, 10);
const firstOfMonth = (): string => `${today().slice(0, 8)}01`;

const isGrouping = (text: string | null): text is CostGrouping => COST_GROUPINGS.some((known) => known === text);

export function Costs() {
  const by = query.value.get('by');
  const wanted = {
    by: isGrouping(by) ? by : 'consumer',
    from: query.value.get('from') ?? firstOfMonth(),
    to: query.value.get('to') ?? today(),
    ...(query.value.get('consumer') && { consumer: query.value.get('consumer') ?? '' }),
  };
  const asked = new URLSearchParams(wanted).toString();
  const { data, failure, loading, reload } = useResource(asked, (stop) =>
    ask<CostReport>(`/costs/report?${asked}`, { pattern: '/costs/report', signal: stop }),
  );
  return (
    <>
      <h1 tabIndex={-1}>Costs</h1>
      <search class="filters">
        <label class="choice">
          <span class="filter-name">By</span>
          <select value={wanted.by} onChange={(event) => setQuery({ by: event.currentTarget.value }, 'push')}>
            {COST_GROUPINGS.map((grouping) => (
              <option key={grouping} value={grouping}>
                {WORDS[grouping]}
              </option>
            ))}
          </select>
        </label>
        <Day name="from" label="From" value={wanted.from} />
        <Day name="to" label="To" value={wanted.to} />
        <label class="choice">
          <span class="filter-name">Consumer</span>
          <input
            class="short"
            type="text"
            placeholder="all"
            maxLength={200}
            value={wanted.consumer ?? ''}
            onChange={(event) => setQuery({ consumer: event.currentTarget.value.trim() }, 'push')}
          />
        </label>
        <Download
          path={`/costs/report?${asked}`}
          pattern="/costs/report"
          accept="text/csv"
          name={`costs-${wanted.by}-${wanted.from}-${wanted.to}.csv`}
          label="CSV"
        />
      </search>
      {failure && <Problem failure={failure} retry={reload} />}
      {!data && loading && <Skeleton rows={6} label="Adding up costs" />}
      {data && data.rows.length === 0 && (
        <Empty title="Nothing has cost anything in this time">
          <p>A launch is priced once it has ended.</p>
        </Empty>
      )}
      {data && data.rows.length > 0 && (
        <>
          <CostByDay report={data} />
          <Report report={data} />
        </>
      )}
    </>
  );
}

const Day = ({ name, label, value }: { name: string; label: string; value: string }) => (
  <label class="choice">
    <span class="filter-name">{label}</span>
    <input type="date" value={value} onChange={(event) => setQuery({ [name]: event.currentTarget.value }, 'push')} />
  </label>
);

function Report({ report: { by, rows, totals } }: { report: CostReport }) {
  const components = [...new Set(rows.flatMap((row) => Object.keys(row.components)))];
  const cells = (row: CostReport['totals'][number]) => (
    <>
      <td>{count(row.launches)}</td>
      <td>
        <strong>{money(row.total, row.currency)}</strong>
      </td>
      <td>{some(row.lost, row.currency)}</td>
      <td>{some(row.idle, row.currency)}</td>
      <td>{some(row.packing, row.currency)}</td>
      {components.map((name) => (
        <td key={name}>{some(row.components[name] ?? '0', row.currency)}</td>
      ))}
    </>
  );
  const head = [WORDS[by], 'Launches', 'Total', 'Lost', 'Idle', 'Packing', ...components.map(componentWord)];
  return (
    <Table label="Sums" head={head}>
      {rows.map((row) => (
        <tr key={`${row.group} ${row.currency}`}>
          <th scope="row">{row.group}</th>
          {cells(row)}
        </tr>
      ))}
      {totals.map((row) => (
        <tr key={row.currency} class="total">
          <th scope="row">All</th>
          {cells(row)}
        </tr>
      ))}
    </Table>
  );
}

const some = (amount: string, currency: string): string => (Number(amount) === 0 ? '–' : money(amount, currency));

function componentWord(name: string): string {
  const words = name.replace(/_cost$/, '').replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
