/**
 * What a text model has answered, read: a story, or why it is none.
 *
 * @module
 */
import type { TextProblem } from '../../workflows/story/model.ts';
import { cleanParagraphs, cleanTitle, countWords } from './clean-text.ts';
import type { StageUsage } from './document.ts';
import { textCharacterBound } from './prompt.ts';

/** As it is kept in S3, the moment it is there. */
export interface TextAnswer {
  /** As JSON: {@link STORY_SCHEMA} of prompt.ts. */
  content: string;
  /** The model's own words, when it will not write. */
  refusal: string;
  /** Of the API: `stop`, `length`, `content_filter`. */
  finish: string;
  usage: StageUsage;
}

export interface Draft {
  title: string;
  paragraphs: readonly string[];
  /** Of the paragraphs. */
  words: number;
}

/** @param asked.language BCP 47 */
export function readDraft(
  { content, refusal, finish }: Pick<TextAnswer, 'content' | 'refusal' | 'finish'>,
  asked: { minWords: number; language: string },
): Draft | TextProblem {
  if (finish === 'content_filter') return 'FLAGGED';
  if (refusal !== '') return 'REFUSED';
  if (finish === 'length') return 'TRUNCATED';
  const written = parse(content);
  if (!written) return 'MALFORMED';
  const title = cleanTitle(written.title);
  const paragraphs = cleanParagraphs(written.paragraphs);
  if (title === '' || paragraphs.length === 0) return 'MALFORMED';
  const words = countWords(paragraphs, asked.language);
  if (words < asked.minWords) return 'TOO_SHORT';
  // What it costs to speak was bounded by this.
  const characters = paragraphs.reduce((sum, paragraph) => sum + paragraph.length, title.length);
  return characters > textCharacterBound(asked.minWords) ? 'TOO_LONG' : { title, paragraphs, words };
}

function parse(content: string): { title: string; paragraphs: string[] } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    return undefined;
  }
  const { title, paragraphs } = (value ?? {}) as { title?: unknown; paragraphs?: unknown };
  const whole =
    typeof title === 'string' && Array.isArray(paragraphs) && paragraphs.every((text) => typeof text === 'string');
  return whole ? { title, paragraphs } : undefined;
}
