/**
 * Ends what must not outlive this process when it exits in the middle; a kill -9 leaves it to finish by itself.
 *
 * @module
 */
const endings = new Set<() => void>();

/** @returns takes it back */
export function atExit(end: () => void): () => void {
  // One listener for all: a dozen tools are fetched at once, and Node takes more than ten for a leak.
  if (endings.size === 0) process.once('exit', endAll);
  endings.add(end);
  return () => {
    endings.delete(end);
    if (endings.size === 0) process.off('exit', endAll);
  };
}

function endAll(): void {
  for (const end of endings) end();
}
