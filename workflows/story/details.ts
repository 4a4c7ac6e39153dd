/**
 * A story as the Temporal Web UI shows it. Nothing of what is told in it.
 *
 * @module
 */
import { PARTS, type Part, type PartState, type StoryProgress } from './model.ts';

export const PART_NAMES: Readonly<Record<Part, string>> = {
  image: 'picture',
  audio: 'voice',
  mail: 'mail',
  event: 'event',
};
const WORDS: Readonly<Record<PartState, string>> = {
  PENDING: 'under way',
  READY: 'there',
  STOCK: 'one of our own drawings',
  NONE: 'nobody has subscribed',
  UNCERTAIN: 'nobody can say whether it was sent, so it is not sent again',
  FAILED: 'given up',
};

/** What has been sent is not there. */
export const partWords = (part: Part, state: PartState): string =>
  state === 'READY' && (part === 'mail' || part === 'event') ? 'sent' : WORDS[state];

/** Markdown. */
export function describeStory({ storyId, status, words, parts }: StoryProgress): string {
  const text = words === undefined ? (status === 'WRITING' ? 'being written' : 'none') : `${words} words`;
  const rows = PARTS.map((part) => `| ${PART_NAMES[part]} | ${partWords(part, parts[part])} |`);
  return [`story ${storyId}: **${status}**`, '', '| part | |', '| --- | --- |', `| text | ${text} |`, ...rows].join(
    '\n',
  );
}
