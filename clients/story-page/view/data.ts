/**
 * What the page's script begins with, in an element of that id; the rest of its addresses it makes from the page's own.
 *
 * @module
 */
import type { ReadableStory } from '../../../lib/story/document.ts';
import type { Links } from './story.tsx';

export const DATA_ID = 'story-data';

export interface PageData {
  story: ReadableStory;
  links: Links;
  /** In pixels, of pictures: what room one takes before it is there. */
  pictureSize?: { width: number; height: number };
}
