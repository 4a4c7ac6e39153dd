/**
 * Which way a language is written.
 *
 * @module
 */

/** ISO 15924: scripts written from right to left. */
const RIGHT_TO_LEFT = new Set(['Adlm', 'Arab', 'Hebr', 'Mand', 'Nkoo', 'Rohg', 'Samr', 'Syrc', 'Thaa']);

/** What is no language tag (BCP 47) becomes `und`, undetermined. */
export function languageOf(tag: string): string {
  try {
    return new Intl.Locale(tag).toString();
  } catch {
    return 'und';
  }
}

export function directionOf(tag: string): 'ltr' | 'rtl' {
  const { script } = new Intl.Locale(languageOf(tag)).maximize();
  return RIGHT_TO_LEFT.has(script ?? '') ? 'rtl' : 'ltr';
}

/** The tag's first part, where there is something for that language. */
export function knownLanguage(all: Readonly<Record<string, unknown>>, tag: string): string | undefined {
  const primary = tag.split('-')[0]?.toLowerCase() ?? '';
  return Object.hasOwn(all, primary) ? primary : undefined;
}
