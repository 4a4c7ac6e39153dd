/**
 * Saves what was loaded as a file: a token cannot go with a plain link.
 *
 * @module
 */

/** How long a browser may take to begin with it. */
const KEPT_MS = 60_000;

export function save(file: Blob, name: string): void {
  const address = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = address;
  link.download = name.replace(/[^\w.-]+/g, '_');
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), KEPT_MS);
}
