/**
 * Tells pictures that are painted, not styled, when the page becomes dark or light.
 *
 * @module
 */

const listeners = new Set<() => void>();
let watching = false;

function watch(): void {
  if (watching) return;
  watching = true;
  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  new MutationObserver(tell).observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', tell);
}

/** @returns stops it */
export function onThemeChange(listener: () => void): () => void {
  watch();
  listeners.add(listener);
  return () => listeners.delete(listener);
}
