/**
 * Structured logs: one JSON object a line, with the ids of workflow and activity, never with payloads.
 *
 * @module
 */
import { type Logger, pino } from 'pino';

/** @param program which program writes, such as `worker` */
export const createLogger = (program: string, level: string): Logger =>
  // Synchronous, so that nothing is lost when the process is killed.
  pino({ level, base: { program }, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ sync: true }));
