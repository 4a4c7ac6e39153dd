/**
 * What changes is told to those who do not see it: one polite live region for the whole console.
 *
 * @module
 */
import { signal } from '@preact/signals';

const said = signal('');

export function announce(text: string): void {
  // The same text again is read again only if it has been another one between.
  said.value = said.value === text ? `${text}\u00a0` : text;
}

export const Announcer = () => (
  <div class="hidden" aria-live="polite" aria-atomic="true">
    {said.value}
  </div>
);
