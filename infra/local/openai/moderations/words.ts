/**
 * The words the stand-in's moderation knows, by OpenAI's categories. It flags a text for a whole word of these, in any case,
 * whatever stands around it; the real model reads sentences.
 *
 * @module
 */

/** The category, and what it is told by. Categories without words are never flagged for a text. */
const WORDS = {
  harassment: ['moron', 'loser', 'dummkopf'],
  'harassment/threatening': ['i will hurt you'],
  hate: ['subhuman', 'untermensch'],
  'hate/threatening': [],
  illicit: ['cocaine', 'heroin', 'kokain'],
  'illicit/violent': ['bomb', 'grenade', 'bombe'],
  'self-harm': ['suicide', 'selbstmord'],
  'self-harm/instructions': [],
  'self-harm/intent': ['i want to die'],
  sexual: ['porn', 'erotic', 'nude'],
  'sexual/minors': [],
  violence: ['kill', 'kills', 'killed', 'killer', 'murder', 'murdered', 'murderer', 'massacre', 'mord', 'mörder'],
  'violence/graphic': ['gore', 'dismembered'],
} as const;

export type Category = keyof typeof WORDS;
export const CATEGORIES = Object.keys(WORDS) as readonly Category[];
/** Those a picture can be flagged for. */
export const OF_PICTURES: ReadonlySet<Category> = new Set([
  'self-harm',
  'self-harm/instructions',
  'self-harm/intent',
  'sexual',
  'violence',
  'violence/graphic',
]);

/** One that is on the list. */
export const FLAGGED_WORD = 'murder';

const PATTERNS = CATEGORIES.flatMap((category) => {
  const words: readonly string[] = WORDS[category];
  return words.length === 0
    ? []
    : [{ category, pattern: new RegExp(`(?<![\\p{L}\\p{N}])(${words.join('|')})(?![\\p{L}\\p{N}])`, 'iu') }];
});

export const categoriesOf = (text: string): Category[] =>
  PATTERNS.filter(({ pattern }) => pattern.test(text.normalize('NFKC'))).map(({ category }) => category);
