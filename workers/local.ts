/**
 * All workers in one process, for the embedded platform.
 *
 * @module
 */
import { readSettings } from '../lib/settings.ts';
import { runWorkers } from './runtime.ts';

runWorkers(readSettings(process.env)).then(
  // Timers of a forced shutdown would keep the process alive.
  () => process.exit(0),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
