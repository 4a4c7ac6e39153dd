/**
 * A table of figures, which scrolls by itself where it is wider than the page.
 *
 * @module
 */
import type { ComponentChildren } from 'preact';

interface TableProps {
  label: string;
  head: readonly string[];
  children: ComponentChildren;
}

export const Table = ({ label, head, children }: TableProps) => (
  <div class="wide-table" tabIndex={0} role="region" aria-label={label}>
    <table class="plain figures-table">
      <caption>{label}</caption>
      <thead>
        <tr>
          {head.map((title) => (
            <th key={title} scope="col">
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  </div>
);
