/**
 * Where the user is: a signal over the history API. Links are plain anchors; a click on one within the console is caught
 * here, so that opening in a new tab, copying and everything else a browser does with links stays.
 *
 * @module
 */
import { computed, signal } from '@preact/signals';
import { changedQuery, parseRoute } from './routes.ts';

const current = signal({ path: location.pathname, query: location.search });

export const route = computed(() => parseRoute(current.value.path));
export const query = computed(() => new URLSearchParams(current.value.query));

const read = (): void => {
  current.value = { path: location.pathname, query: location.search };
};

export function navigate(address: string, how: 'push' | 'replace' = 'push'): void {
  if (how === 'push') history.pushState(undefined, '', address);
  else history.replaceState(undefined, '', address);
  read();
}

/** Changes filters and the like: no new entry in the history for every letter. */
export function setQuery(
  changes: Readonly<Record<string, string | undefined>>,
  how: 'push' | 'replace' = 'replace',
): void {
  navigate(location.pathname + changedQuery(location.search, changes), how);
}

/** The address of this page with some parameters changed. */
export const here = (changes: Readonly<Record<string, string | undefined>>): string =>
  current.value.path + changedQuery(current.value.query, changes);

export function followLinks(): void {
  addEventListener('popstate', read);
  addEventListener('click', (event) => {
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!link?.href || link.target !== '' || link.hasAttribute('download') || link.origin !== location.origin) return;
    if (link.hash !== '' && link.pathname === location.pathname) return;
    if (link.pathname.startsWith('/api/')) return;
    event.preventDefault();
    if (link.href !== location.href) navigate(link.pathname + link.search);
  });
}
