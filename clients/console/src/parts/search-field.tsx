/**
 * The field that `/` leads to.
 *
 * @module
 */
import { useRef } from 'preact/hooks';
import { useKeys } from '../hooks.ts';
import { Icon } from './icon.tsx';

export interface SearchFieldProps {
  /** For who does not see it. */
  label: string;
  text: string;
  maxLength: number;
  onText(text: string): void;
}

export function SearchField({ label, text, maxLength, onText }: SearchFieldProps) {
  const field = useRef<HTMLInputElement>(null);
  useKeys({ '/': () => field.current?.focus() });
  return (
    <label class="search">
      <Icon name="search" />
      <span class="hidden">{label}</span>
      <input
        ref={field}
        type="search"
        placeholder="Search  /"
        value={text}
        maxLength={maxLength}
        onInput={(event) => onText(event.currentTarget.value)}
      />
    </label>
  );
}
