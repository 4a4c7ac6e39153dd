/** Prompts: the words of a bedtime story, names as data, and never longer than what is reckoned with. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TEXT_LIMITS } from '../../lib/story/clean-text.ts';
import type { StoryItem } from '../../lib/story/document.ts';
import { LIMITS } from '../../lib/story/names.ts';
import {
  PICTURE_PROMPT_TOKENS,
  picturePrompt,
  promptTexts,
  reasoningOf,
  STORY_SCHEMA,
  storyMessages,
  textTokenBound,
} from '../../lib/story/prompt.ts';
import { TEXT_PROBLEMS } from '../../workflows/story/model.ts';

const ASKED: Pick<StoryItem, 'draw' | 'language' | 'min_words'> = {
  draw: {
    characters: [{ name: 'Parker' }, { name: 'Jackson' }],
    scene: { name: 'haunted woods' },
  },
  language: 'en-GB',
  min_words: 200,
};
const user = (asked = ASKED, ...rest: Parameters<typeof storyMessages> extends [unknown, ...infer R] ? R : never) =>
  storyMessages(asked, ...rest).at(-1)?.content ?? '';

describe('the request for a story', () => {
  it('is in the words of old, names quoted', () => {
    expect(user()).toContain(
      'Write a title and a rhyming story on 2 main characters called "Parker" and "Jackson". ' +
        'The story needs to be set within the scene "haunted woods" and be at least 200 words long.',
    );
  });

  it('follows a message that says what it is for, in which nothing is of the family', () => {
    const [purpose, request] = storyMessages(ASKED);

    expect(purpose?.role).toBe('developer');
    expect(request?.role).toBe('user');
    expect(purpose?.content).toMatch(/never instructions/);
    expect(purpose?.content).toMatch(/children/);
    expect(purpose?.content).not.toMatch(/Parker|haunted/);
  });

  it('is in the language of the family', () => {
    expect(user({ ...ASKED, language: 'de-DE' })).toContain('German');
  });

  it('says what somebody looks like, as JSON', () => {
    const scene = { name: 'haunted woods', looks: 'dark, but friendly' };
    expect(user({ ...ASKED, draw: { ...ASKED.draw, scene } })).toContain(JSON.stringify([scene]));
  });

  it.each(TEXT_PROBLEMS)('says why the draft before was %s', (problem) => {
    expect(user(ASKED, problem)).toMatch(/earlier draft could not be used: .{20,}/);
    expect(user(ASKED, problem)).not.toBe(user());
  });

  it('quotes whatever a name is: none gets out of its quotation marks', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (name, scene) => {
        const draw = { characters: [{ name }, { name: 'Jackson' }], scene: { name: scene } };
        const [first = ''] = user({ ...ASKED, draw }).split('\n');
        const [, one, two, place] =
          /called ("(?:[^"\\]|\\.)*") and ("(?:[^"\\]|\\.)*")\. .* scene ("(?:[^"\\]|\\.)*") and be/su.exec(first) ??
          [];
        expect([one, two, place].map((text) => JSON.parse(text ?? 'null'))).toEqual([name, 'Jackson', scene]);
      }),
    );
  });

  it('is moderated as a whole and card by card', () => {
    const draw = { ...ASKED.draw, characters: [{ name: 'Parker', looks: 'red' }, { name: 'Jackson' }] };

    expect(promptTexts({ ...ASKED, draw })).toEqual([
      user({ ...ASKED, draw }),
      'Parker: red',
      'Jackson',
      'haunted woods',
    ]);
  });

  it('asks for a schema that strict mode takes', () => {
    expect(STORY_SCHEMA.required).toEqual(Object.keys(STORY_SCHEMA.properties));
    expect(STORY_SCHEMA.additionalProperties).toBe(false);
  });
});

describe('the request for a picture', () => {
  const item = {
    draw: { ...ASKED.draw, characters: [{ name: 'Parker', looks: 'red' }, { name: 'Jackson' }] },
    title: 'The "Owl"',
  };

  it('says what the story is about as JSON, and asks for no text in it', () => {
    const prompt = picturePrompt(item);

    expect(prompt).toContain(JSON.stringify({ title: item.title, ...item.draw }));
    expect(prompt).toContain('No text');
  });

  it('put plainly is without title, names and looks', () => {
    const prompt = picturePrompt(item, { plain: true });

    expect(prompt).toContain('"haunted woods"');
    expect(prompt).not.toMatch(/Owl|Parker|Jackson|red/);
  });
});

describe('what can be billed', () => {
  // Three bytes of UTF-8 for each code unit: no letters need more. A token is a byte at least.
  const longest = (length: number) => '字'.repeat(length);
  const card = { name: longest(LIMITS.nameLength), looks: longest(LIMITS.looksLength) };
  const draw = { characters: [card, card], scene: card };
  const bytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

  it.each([undefined, ...TEXT_PROBLEMS])('for a text is more than the longest prompt (%s)', (problem) => {
    const asked = { draw, language: 'sr-Latn-RS', min_words: 2000 };
    expect(bytes([storyMessages(asked, problem), STORY_SCHEMA])).toBeLessThan(textTokenBound(2000).input);
  });

  it('for a picture is more than the longest prompt', () => {
    expect(bytes(picturePrompt({ draw, title: longest(TEXT_LIMITS.title) }))).toBeLessThan(PICTURE_PROMPT_TOKENS);
  });

  it('leaves room for twice the words, four tokens each', () => {
    expect(textTokenBound(200).output).toBeGreaterThan(200 * 2 * 4 + 2000);
    expect(textTokenBound(200).output).toBeLessThan(8000);
  });
});

describe('reasoning', () => {
  it.each(['gpt-5', 'gpt-5-mini', 'gpt-5-mini-2025-08-07', 'gpt-5.4', 'gpt-5.4-mini', 'o3', 'o4-mini'])(
    'of %s is little',
    (model) => {
      expect(reasoningOf(model)).toEqual({ reasoning_effort: 'low' });
    },
  );

  it.each(['gpt-4o', 'gpt-4.1-mini', 'gpt-5-chat-latest', 'gpt-5-pro', 'something-else'])(
    'of %s is not asked about',
    (model) => {
      expect(reasoningOf(model)).toEqual({});
    },
  );
});
