/**
 * The teleprinter's typing, and where a reader goes on. The progress log is what was typed: whatever died meanwhile, the
 * next one reads there where to go on, and the log refuses what it has.
 *
 * @module
 */
import type { ProgressReader, ProgressWriter } from '../../lib/progress/log.ts';
import { findReading, type Look } from './reading.ts';
import { type TypeInput, typeArticle } from './type.ts';

export interface TeleprinterDependencies {
  progress: ProgressReader & ProgressWriter;
  /** What is typed. */
  article: string;
}

export type TeleprinterActivities = ReturnType<typeof createTeleprinterActivities>;

export function createTeleprinterActivities({ progress, article }: TeleprinterDependencies) {
  // Code points: half of a pair is no character.
  const characters = [...article];
  return {
    findReading: (look: Look) => findReading(progress, characters.length, look),
    typeArticle: (input: TypeInput) => typeArticle(progress, characters, input),
  };
}
