/**
 * Tokens, about as large as OpenAI's: pieces of up to seven letters, of three digits, single marks. Their number is an
 * estimate, as it is for anybody without the model's own vocabulary.
 *
 * @module
 */

const TOKEN = / ?\p{L}{1,7}| ?\p{N}{1,3}| ?[^\s\p{L}\p{N}]|\s+/gu;

/** The pieces, which put together are the text again. */
export const tokensOf = (text: string): string[] => text.match(TOKEN) ?? [];

export const countTokens = (text: string): number => tokensOf(text).length;
