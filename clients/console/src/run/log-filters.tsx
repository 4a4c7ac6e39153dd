/**
 * What of a log is to be seen: in the address, so that it can be shared.
 *
 * @module
 */
import { useEffect, useState } from 'preact/hooks';
import { setQuery } from '../location.ts';
import { SearchField } from '../parts/search-field.tsx';

const TYPED_MS = 350;

export function LogSearch({ value }: { value: string }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => setQuery({ search: text }), TYPED_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return <SearchField label="Search the log" text={text} maxLength={500} onText={setText} />;
}

/** As many as a list can show; others come by the address or the table of steps. */
const CHOICES = 200;

export function StepChoice({ value, steps }: { value: string | undefined; steps: readonly { name: string }[] }) {
  const names = steps.slice(0, CHOICES).map(({ name }) => name);
  if (value !== undefined && !names.includes(value)) names.unshift(value);
  return (
    <label class="choice">
      <span class="hidden">Step</span>
      <select value={value ?? ''} onChange={(event) => setQuery({ step: event.currentTarget.value, item: undefined })}>
        <option value="">Every step</option>
        {names.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

export const TextFilter = ({ name, label, value }: { name: string; label: string; value: string | undefined }) => (
  <input
    class="short"
    type="text"
    aria-label={label}
    placeholder={label}
    value={value ?? ''}
    maxLength={200}
    onChange={(event) => setQuery({ [name]: event.currentTarget.value.trim() })}
  />
);

/** Of the compute service, which tries a job again by itself: not of the launch. */
export function AttemptChoice({ value, attempts }: { value: string | undefined; attempts: number }) {
  if (attempts <= 1 && value === undefined) return null;
  return (
    <label class="choice">
      <span class="hidden">Try of the job</span>
      <select value={value ?? ''} onChange={(event) => setQuery({ attempt: event.currentTarget.value })}>
        <option value="">Every try</option>
        {Array.from({ length: attempts }, (_, place) => String(attempts - place)).map((attempt) => (
          <option key={attempt} value={attempt}>
            Try {attempt}
          </option>
        ))}
      </select>
    </label>
  );
}
