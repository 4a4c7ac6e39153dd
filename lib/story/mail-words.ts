/**
 * The words of a story's mail, in the languages that its page has its own words in.
 *
 * @module
 */
import { knownLanguage, languageOf } from './language.ts';

export interface MailWords {
  /** ASCII, as subjects of SNS have to be: the title follows, where there is one in ASCII. */
  tonight: string;
  /** The same without a title. */
  ready: string;
  there: string;
  until(moment: string, timeZone: string): string;
  whoever: string;
}

const en: MailWords = {
  tonight: "Tonight's story",
  ready: "Tonight's story is ready",
  there: "Tonight's story is there:",
  until: (moment, timeZone) => `It can be read until ${moment} (${timeZone}).`,
  whoever: 'Whoever has this link can read it, too.',
};
const ALL: Readonly<Record<string, MailWords>> = {
  en,
  de: {
    tonight: 'Eure Geschichte',
    ready: 'Eure Geschichte ist da',
    there: 'Die Geschichte für heute ist da:',
    until: (moment, timeZone) => `Zu lesen bis ${moment} (${timeZone}).`,
    whoever: 'Wer diesen Link hat, kann sie auch lesen.',
  },
  es: {
    tonight: 'Vuestro cuento',
    ready: 'Vuestro cuento os espera',
    there: 'El cuento de esta noche ya está:',
    until: (moment, timeZone) => `Se puede leer hasta: ${moment} (${timeZone}).`,
    whoever: 'Quien tenga este enlace también puede leerlo.',
  },
  fr: {
    tonight: 'Votre histoire',
    ready: 'Votre histoire vous attend',
    there: 'L’histoire de ce soir est là :',
    until: (moment, timeZone) => `À lire jusqu’au ${moment} (${timeZone}).`,
    whoever: 'Toute personne qui a ce lien peut la lire aussi.',
  },
  it: {
    tonight: 'La vostra storia',
    ready: 'La vostra storia vi aspetta',
    there: 'La storia di stasera è pronta:',
    until: (moment, timeZone) => `Si può leggere fino a: ${moment} (${timeZone}).`,
    whoever: 'Chi ha questo link può leggerla anche lui.',
  },
  nl: {
    tonight: 'Jullie verhaal',
    ready: 'Jullie verhaal is er',
    there: 'Het verhaal van vanavond is er:',
    until: (moment, timeZone) => `Te lezen tot ${moment} (${timeZone}).`,
    whoever: 'Wie deze link heeft, kan het ook lezen.',
  },
};

/** In the story's language, else in English, by British dates. */
export function mailWordsFor(language: string): { locale: string; words: MailWords } {
  const tag = languageOf(language);
  const words = ALL[knownLanguage(ALL, tag) ?? ''];
  return words ? { locale: tag, words } : { locale: 'en-GB', words: en };
}
