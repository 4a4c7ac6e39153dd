/**
 * What a prompt asks for: two names, a scene, a number of words, a language. A model reads; the stand-in looks for the forms
 * such a request has: labelled lines, JSON members, tags, and sentences as "2 main characters called Parker and Jackson ...
 * within the scene haunted woods and be at least 200 words long". The last message counts first.
 *
 * @module
 */

export interface Brief {
  names: readonly [string, string];
  scene: string;
  words: number;
  language: 'en' | 'de';
  /** Everything that was said: another prompt is another story. */
  text: string;
}

const WORDS = 200;
/** Nobody reads a longer one to a child. */
const MOST_WORDS = 5_000;

/** A text in quotes, or what comes before the sentence goes on. */
const QUOTED = '["“„«]([^"“”„»\\n]{1,200})["”“»]';
const NAME = `(?:${QUOTED}|([^\\s,.;:"“”„][^,.;:"“”„\\n]{0,119}?))`;
const TWO_NAMES = [
  new RegExp(
    `(?:called|named|namens|heißen|heissen)\\s*:?\\s*${NAME}\\s*(?:,|and|und|&)\\s*(?:and\\s+|und\\s+)?${NAME}(?=$|[.,;:!?\\n]|\\s+(?:in|within|and|und|who|die|set)\\b)`,
    'iu',
  ),
  new RegExp(
    `(?:characters?|names?|figuren|namen|hauptfiguren)\\s*(?:are|sind)?\\s*[:=]\\s*${NAME}\\s*(?:,|and|und|&)\\s*(?:and\\s+|und\\s+)?${NAME}(?=$|[.,;:!?\\n])`,
    'iu',
  ),
];
const SCENE = [
  new RegExp(
    `(?:scene|scenery|setting|place|szene|schauplatz|ort)\\s*(?:is|ist)?\\s*[:=]\\s*(?:${QUOTED}|([^.;\\n"]{1,200}))`,
    'iu',
  ),
  new RegExp(
    `(?:within|in|at)\\s+(?:the\\s+|der\\s+)?(?:scene|szene|setting)\\s*(?:called\\s+|of\\s+|:\\s*)?(?:${QUOTED}|([^.,;:\\n"]{1,200}?)(?=$|[.,;\\n]|\\s+and\\s+(?:be|must|is)\\b))`,
    'iu',
  ),
  new RegExp(
    `(?:set|takes place|spielt)\\s+(?:within|in|at|im)\\s+(?:${QUOTED}|([^.,;:\\n"]{1,200}?)(?=$|[.,;\\n]|\\s+and\\s+(?:be|must|is)\\b))`,
    'iu',
  ),
];
const MEMBER = {
  names: /^(characters?|names?|main_?characters|figuren|namen)$/i,
  scene: /^(scene|setting|place|szene|ort)$/i,
  words: /^(min_?words|minimum_?words|words|w(ö|oe)rter)$/i,
  language: /^(language|lang|locale|sprache)$/i,
};

export function readBrief(messages: readonly { text: string }[]): Brief {
  const texts = messages.map(({ text }) => text).reverse();
  const members = texts.flatMap(jsonMembers);
  const member = (pattern: RegExp): unknown => members.find(([name]) => pattern.test(name))?.[1];
  const listed = namesOf(member(MEMBER.names));
  const tagged = texts.flatMap((text) => tags(text, /character|name|figur/i));
  const said = firstOf(texts, TWO_NAMES);
  const names = [listed, tagged, said, ['Pip', 'Luna']].find((list) => list.length >= 2) as string[];
  const scene = [
    nameOf(member(MEMBER.scene)),
    texts.flatMap((text) => tags(text, /scene|setting|szene/i))[0],
    firstOf(texts, SCENE)[0],
    'a quiet valley',
  ].find((one) => one !== undefined && one !== '') as string;
  const words = Number(member(MEMBER.words) ?? firstOf(texts, WORDS_ASKED)[0] ?? WORDS);
  return {
    names: [names[0] as string, names[1] as string],
    scene,
    words: Number.isFinite(words) && words > 0 ? Math.min(words, MOST_WORDS) : WORDS,
    language: isGerman(texts, member(MEMBER.language)) ? 'de' : 'en',
    text: messages.map(({ text }) => text).join('\n'),
  };
}

const WORDS_ASKED = [
  /(?:at least|no fewer than|minimum(?: of)?|mindestens|wenigstens)\s+(\d{1,6})\s*(?:words|wörter|worte)/iu,
  /(\d{1,6})\s*(?:words|wörter|worte)\s*(?:or more|at least|oder mehr)?/iu,
];

/** The captured texts of the first pattern that fits anywhere. */
function firstOf(texts: readonly string[], patterns: readonly RegExp[]): string[] {
  for (const pattern of patterns) {
    for (const text of texts) {
      const found = pattern
        .exec(text)
        ?.slice(1)
        .filter((one) => one !== undefined);
      if (found && found.length > 0) return found.map((one) => one.trim());
    }
  }
  return [];
}

/** `<character>Parker</character>`, whatever the tag is called. */
function tags(text: string, name: RegExp): string[] {
  return [...text.matchAll(/<([\w-]{1,40})(?:\s[^<>]*)?>([^<>]{1,200})<\/\1>/gu)]
    .filter(([, tag = '']) => name.test(tag))
    .map(([, , inner = '']) => inner.trim());
}

/** Members of every object in the JSON that begins at a brace or bracket of the text. */
function jsonMembers(text: string): [string, unknown][] {
  const begin = text.search(/[{[]/);
  const end = Math.max(text.lastIndexOf('}'), text.lastIndexOf(']'));
  if (begin < 0 || end <= begin) return [];
  try {
    return membersOf(JSON.parse(text.slice(begin, end + 1)));
  } catch {
    return [];
  }
}

function membersOf(value: unknown): [string, unknown][] {
  if (Array.isArray(value)) return value.flatMap(membersOf);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, child]): [string, unknown][] => [[name, child], ...membersOf(child)]);
}

const namesOf = (value: unknown): string[] => (Array.isArray(value) ? value.flatMap((one) => nameOf(one) ?? []) : []);

function nameOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  const name = (value as { name?: unknown } | null | undefined)?.name;
  return typeof name === 'string' ? name : undefined;
}

function isGerman(texts: readonly string[], language: unknown): boolean {
  if (typeof language === 'string') return /^(de\b|german|deutsch)/i.test(language);
  return texts.some((text) =>
    /\b(?:in|auf|language(?: is)?:?|sprache:?)\s+(?:german\b|deutsch\w*|["']?de(?:-[A-Z]{2})?\b)|\(de(?:-[A-Z]{2})?\)|\bde-(?:DE|AT|CH)\b/i.test(
      text,
    ),
  );
}
