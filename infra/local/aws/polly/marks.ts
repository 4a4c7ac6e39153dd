/**
 * Speech marks: sentences and words of the text, with the time at which each is spoken, as lines of JSON.
 *
 * What is a word or a sentence is decided by Unicode's rules (`Intl.Segmenter`), which keep `don't` and `1,250.5` together.
 * Polly's own rules are not published: assumed is that hyphens part words and that a single line break ends no sentence,
 * as in verse. eSpeak tells when each of its words begins, but speaks some together ("of the") and numbers as many: a word
 * without an event of its own lies between its neighbours, by its place.
 *
 * @module
 */
import type { SpokenEvent } from './speaker.ts';
import type { SpokenText } from './spoken-text.ts';

export interface SpeechMark {
  /** Milliseconds from the beginning of the audio. */
  time: number;
  type: 'sentence' | 'word';
  /** Bytes of UTF-8 in the request's text. */
  start: number;
  end: number;
  value: string;
}

/** A stretch of the text, in UTF-16 units. */
interface Stretch {
  begin: number;
  end: number;
}

/**
 * @param source the request's text, of which marks are stretches
 * @param total samples of all the audio
 * @param toMs of samples
 */
export function speechMarks(
  { text, begins, ends }: SpokenText,
  source: string,
  language: string,
  events: readonly SpokenEvent[],
  total: number,
  toMs: (sample: number) => number,
): SpeechMark[] {
  const bytes = Buffer.from(source);
  const words = wordsOf(text, language);
  const samples = samplesOf(words, text, events, total);
  const mark = (type: SpeechMark['type'], { begin, end }: Stretch, sample: number): SpeechMark => {
    const [start, stop] = [begins[begin] ?? 0, ends[end - 1] ?? 0];
    return {
      time: Math.round(toMs(sample)),
      type,
      start,
      end: stop,
      value: bytes.subarray(start, stop).toString('utf8'),
    };
  };
  const marks: SpeechMark[] = [];
  let next = 0;
  for (const sentence of sentencesOf(text, language)) {
    const first = next;
    while (next < words.length && (words[next] as Stretch).begin < sentence.end) next += 1;
    // Of signs alone nothing is spoken.
    if (next === first) continue;
    marks.push(mark('sentence', sentence, samples[first] ?? 0));
    for (let index = first; index < next; index += 1) {
      marks.push(mark('word', words[index] as Stretch, samples[index] ?? 0));
    }
  }
  return marks;
}

function wordsOf(text: string, language: string): Stretch[] {
  const segments = new Intl.Segmenter(language, { granularity: 'word' }).segment(text);
  return [...segments]
    .filter(({ isWordLike }) => isWordLike)
    .map(({ index, segment }) => ({ begin: index, end: index + segment.length }));
}

function sentencesOf(text: string, language: string): Stretch[] {
  const running = text.replaceAll(/(?<![\n\r])\n(?![\n\r])/g, ' ');
  const segments = new Intl.Segmenter(language, { granularity: 'sentence' }).segment(running);
  return [...segments].flatMap(({ index, segment }) => {
    const begin = index + (segment.length - segment.trimStart().length);
    const end = index + segment.trimEnd().length;
    return end > begin ? [{ begin, end }] : [];
  });
}

/** When each word begins: never before the one that stands before it. */
function samplesOf(words: readonly Stretch[], text: string, events: readonly SpokenEvent[], total: number): number[] {
  const units = unitsOfPoints(text);
  const begun = events.filter(({ kind }) => kind === 'word');
  const known = new Map<number, number>();
  let event = 0;
  words.forEach(({ begin, end }, index) => {
    const at = () => units[begun[event]?.point ?? units.length] ?? text.length;
    while (event < begun.length && at() < begin) event += 1;
    if (event < begun.length && at() < end) known.set(index, (begun[event] as SpokenEvent).sample);
  });
  const samples: number[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const own = known.get(index);
    samples.push(Math.max(samples.at(-1) ?? 0, own ?? 0));
    if (own !== undefined) continue;
    const before = index - 1;
    let after = index + 1;
    while (after < words.length && !known.has(after)) after += 1;
    const from = samples[before] ?? 0;
    const to = Math.max(from, pauseAfter(events, from, known.get(after) ?? total));
    const [left, right] = [words[before]?.begin ?? 0, words[after]?.begin ?? text.length];
    const share = ((words[index] as Stretch).begin - left) / Math.max(1, right - left);
    samples[index] = Math.round(from + (to - from) * share);
  }
  return samples;
}

/** The first end of a clause after `from`, where it comes before `until`: behind it a pause may lie. */
function pauseAfter(events: readonly SpokenEvent[], from: number, until: number): number {
  return events.find(({ kind, sample }) => kind === 'end' && sample > from && sample < until)?.sample ?? until;
}

/** Where each code point begins, in UTF-16 units. */
function unitsOfPoints(text: string): number[] {
  const units: number[] = [];
  let unit = 0;
  for (const character of text) {
    units.push(unit);
    unit += character.length;
  }
  return units;
}

/** One JSON object a line, as Polly writes them. */
export function writeMarks(marks: readonly SpeechMark[], types: ReadonlySet<string>): string {
  return marks
    .filter(({ type }) => types.has(type))
    .map((mark) => `${JSON.stringify(mark)}\n`)
    .join('');
}
