/**
 * Filters of the list. What there is to choose from is what has been seen, beside what the domains are known to have.
 *
 * @module
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { RunSummary } from '../../../live/api.ts';
import { setQuery } from '../location.ts';
import { SearchField } from '../parts/search-field.tsx';
import type { Filters } from '../run-rows.ts';

const DOMAINS = ['launch', 'restore', 'cost', 'story'];
const STATUSES = ['PREPARING', 'WAITING', 'READY', 'RUNNING', 'COMPLETE', 'FAILED', 'CANCELLED'];
const TYPED_MS = 250;

export function RunFilters({ filters, rows }: { filters: Filters; rows: readonly RunSummary[] }) {
  const seen = useSeen(rows);
  return (
    <search class="filters">
      <Search value={filters.q ?? ''} />
      <Choice name="status" label="Status" any="Any status" value={filters.status} known={seen.statuses} />
      <Choice name="domain" label="Domain" any="Every domain" value={filters.domain} known={seen.domains} />
      <Choice name="consumer" label="Consumer" any="Every consumer" value={filters.consumer} known={seen.consumers} />
    </search>
  );
}

function Search({ value }: { value: string }) {
  const [text, setText] = useState(value);
  const told = useRef(value);
  useEffect(() => {
    // The address changed by itself: back, or the filters were cleared.
    if (value !== told.current) setText(value);
    told.current = value;
  }, [value]);
  useEffect(() => {
    if (text.trim() === told.current) return;
    const timer = setTimeout(() => {
      told.current = text.trim();
      setQuery({ q: text.trim() });
    }, TYPED_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return <SearchField label="Search runs by id or type" text={text} maxLength={200} onText={setText} />;
}

interface ChoiceProps {
  name: string;
  label: string;
  any: string;
  value: string | undefined;
  known: readonly string[];
}

const Choice = ({ name, label, any, value, known }: ChoiceProps) => (
  <label class="choice">
    <span class="hidden">{label}</span>
    <select value={value ?? ''} onChange={(event) => setQuery({ [name]: event.currentTarget.value }, 'push')}>
      <option value="">{any}</option>
      {[...new Set([...known, ...(value === undefined ? [] : [value])])].map((one) => (
        <option key={one} value={one}>
          {one}
        </option>
      ))}
    </select>
  </label>
);

/** A filter leaves few rows, but the choice must not shrink with them. */
function useSeen(rows: readonly RunSummary[]): { domains: string[]; statuses: string[]; consumers: string[] } {
  const seen = useRef({ domains: new Set(DOMAINS), statuses: new Set(STATUSES), consumers: new Set<string>() });
  for (const { domain, status, consumer } of rows) {
    seen.current.domains.add(domain);
    seen.current.statuses.add(status);
    if (consumer !== undefined) seen.current.consumers.add(consumer);
  }
  const { domains, statuses, consumers } = seen.current;
  return { domains: [...domains], statuses: [...statuses], consumers: [...consumers].toSorted() };
}
