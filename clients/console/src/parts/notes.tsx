/**
 * What stands where there is nothing to show, or not yet.
 *
 * @module
 */
import type { ComponentChildren } from 'preact';
import type { Failure } from '../http.ts';
import { Icon } from './icon.tsx';

/** What is wrong, what to do about it, and the button that tries again. */
export const Problem = ({ failure, retry }: { failure: Failure; retry?: () => void }) => (
  <div class="note note-bad" role="alert">
    <Icon name="warning" />
    <div>
      <p>
        <strong>{sentence(failure.message)}</strong>
      </p>
      <p>{sentence(failure.remedy)}</p>
      {retry && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  </div>
);

export const Note = ({ tone = 'plain', children }: { tone?: string; children: ComponentChildren }) => (
  <div class={`note note-${tone}`}>
    <div>{children}</div>
  </div>
);

export const Empty = ({ title, children }: { title: string; children?: ComponentChildren }) => (
  <div class="empty">
    <h2>{title}</h2>
    {children}
  </div>
);

/** Grey lines of about the size of what is coming. */
export const Skeleton = ({ rows, label }: { rows: number; label: string }) => (
  <div class="skeleton" role="status">
    <span class="hidden">{label}</span>
    {Array.from({ length: rows }, (_, row) => (
      <span key={row} class="skeleton-row" />
    ))}
  </div>
);

export function sentence(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(begun) ? begun : `${begun}.`;
}
