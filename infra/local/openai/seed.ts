/**
 * Chance that is the same for the same text.
 *
 * @module
 */
import { createHash } from 'node:crypto';

/** 32 bits. */
export const seedOf = (text: string): number => createHash('sha256').update(text).digest().readUInt32BE(0);
