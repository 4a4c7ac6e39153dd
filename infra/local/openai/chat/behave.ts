/**
 * Stories that should not be: for the behaviours of createChatCompletion that are about the text itself.
 *
 * @module
 */
import type { Does } from '../behaviours.ts';
import { FLAGGED_WORD } from '../moderations/words.ts';
import type { Story } from '../story/writer.ts';

export type ChatBehaviour = Exclude<Does<'createChatCompletion'>, 'slow'> | undefined;

/** What a page, a mail and a feed must survive: markup, an entity, a right-to-left override, a zero-width space, a bell. */
const MARKUP =
  '<script>document.title="owned"</script><img src=x onerror="document.title=\'owned\'"> &amp; <b>bold</b> \u202egnihton\u202c zero\u200bwidth \u0007';

export function misbehave(story: Story, behaviour: ChatBehaviour): Story {
  const { title, paragraphs } = story;
  switch (behaviour) {
    case 'short':
      return { ...story, paragraphs: [paragraphs[0]?.split('\n').slice(0, 2).join('\n') ?? ''] };
    case 'markup':
      return { ...story, title: `${title} <i>${MARKUP}</i>`, paragraphs: [...paragraphs, MARKUP] };
    case 'unsafe':
      return { ...story, paragraphs: [...paragraphs, `And then there was ${FLAGGED_WORD}.`] };
    default:
      return story;
  }
}
