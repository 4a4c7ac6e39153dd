/**
 * The list of runs of every domain: filters are in the address, open runs are live.
 *
 * @module
 */
import { useRef, useState } from 'preact/hooks';
import type { RunList, RunSummary } from '../../../live/api.ts';
import { useKeys, useResource } from '../hooks.ts';
import { asFailure, ask, type Failure } from '../http.ts';
import { query, setQuery } from '../location.ts';
import { Empty, Problem, Skeleton } from '../parts/notes.tsx';
import { FILTERS, filtersOf, listQuery, rowsOf } from '../run-rows.ts';
import { RunFilters } from './run-filters.tsx';
import { RunRow } from './run-row.tsx';
import { type RowFeeds, useRowFeeds } from './run-row-feed.ts';

const PAGE = 50;
const EVERY_MS = 4_000;

const askPage = (filters: string, stop?: AbortSignal): Promise<RunList> =>
  ask<RunList>(`/runs?${filters}`, { pattern: '/runs', ...(stop && { signal: stop }) });

export function Runs() {
  const filters = filtersOf(query.value);
  const first = listQuery(filters, PAGE);
  const newest = useResource(first, (stop) => askPage(first, stop), EVERY_MS);
  const older = useOlder(first);
  const pages = newest.data ? [newest.data, ...older.pages] : [];
  const rows = rowsOf(pages);
  const feeds = useRowFeeds(rows);
  const next = pages.at(-1)?.next;
  const list = useRef<HTMLUListElement>(null);
  useListKeys(list);
  const filtered = FILTERS.some((name) => filters[name] !== undefined);

  return (
    <>
      <h1 tabIndex={-1}>Runs</h1>
      <RunFilters filters={filters} rows={rows} />
      {newest.failure && <Problem failure={newest.failure} retry={newest.reload} />}
      {!newest.data && newest.loading && <Skeleton rows={8} label="Loading runs" />}
      {newest.data && rows.length === 0 && <NoRuns filtered={filtered} />}
      {rows.length > 0 && <RunTable rows={rows} feeds={feeds} list={list} />}
      {older.failure && <Problem failure={older.failure} />}
      {next !== undefined && (
        <button type="button" class="more" disabled={older.loading} onClick={() => older.load(next)}>
          {older.loading ? 'Loading…' : 'Load more'}
        </button>
      )}
    </>
  );
}

interface TableProps {
  rows: readonly RunSummary[];
  feeds: RowFeeds;
  list: { current: HTMLUListElement | null };
}

const RunTable = ({ rows, feeds, list }: TableProps) => (
  <div class="runs">
    <div class="run-head" aria-hidden="true">
      <span>Run</span>
      <span>Status</span>
      <span>Progress</span>
      <span>Consumer</span>
      <span>Begun</span>
      <span>Took</span>
      <span class="right">Cost</span>
    </div>
    <ul ref={list} aria-label="Runs, newest first">
      {rows.map((row) => (
        <RunRow key={row.workflowId} listed={row} live={feeds.get(row.workflowId)} />
      ))}
    </ul>
  </div>
);

function NoRuns({ filtered }: { filtered: boolean }) {
  if (filtered)
    return (
      <Empty title="No run matches these filters">
        <button type="button" onClick={() => setQuery({ domain: '', status: '', consumer: '', q: '' })}>
          Clear the filters
        </button>
      </Empty>
    );
  return (
    <Empty title="Nothing has run yet">
      <p>
        <a href="/new">Launch a sheet</a> here, or from a terminal:
      </p>
      <pre>
        <code>longhaul launch submit sheet.yaml</code>
      </pre>
    </Empty>
  );
}

/** Pages after the first, of one set of filters. */
function useOlder(of: string) {
  const [state, setState] = useState<{ of: string; pages: RunList[]; loading: boolean; failure?: Failure }>({
    of,
    pages: [],
    loading: false,
  });
  const current = state.of === of ? state : { of, pages: [], loading: false };
  const load = async (before: string): Promise<void> => {
    setState({ of, pages: current.pages, loading: true });
    const query = new URLSearchParams(of);
    query.set('before', before);
    try {
      const page = await askPage(query.toString());
      setState((latest) => (latest.of === of ? { of, pages: [...latest.pages, page], loading: false } : latest));
    } catch (error) {
      setState((latest) =>
        latest.of === of ? { of, pages: latest.pages, loading: false, failure: asFailure(error) } : latest,
      );
    }
  };
  return { ...current, load: (before: string): void => void load(before) };
}

/** j and k go up and down the rows, Enter opens, since each row is a link. */
function useListKeys(list: { current: HTMLUListElement | null }): void {
  const go = (by: number): void => {
    const links = [...(list.current?.querySelectorAll<HTMLElement>('a.run-link') ?? [])];
    const at = links.findIndex((link) => link === document.activeElement);
    links[at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + by))]?.focus();
  };
  useKeys({ j: () => go(1), k: () => go(-1) });
}
