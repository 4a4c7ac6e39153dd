/**
 * What a client may ask for over its live connection: the samples.
 *
 * @module
 */
import type { RequestHandler } from '../requests.ts';
import { orderSend } from './order.ts';
import { teleprinterRead, teleprinterStop } from './teleprinter.ts';

export const SAMPLES: readonly RequestHandler[] = [orderSend, teleprinterRead, teleprinterStop];
