/**
 * The media overlay of a story (EPUB 3, SMIL): which word is to be lit while which part of the sound is played.
 *
 * @module
 */
import type { WordMark } from './document.ts';
import { paragraphId, wordId } from './epub-pages.ts';

/** SMIL's full clock value of a time in ms: `0:01:02.345` */
export function clock(ms: number): string {
  const whole = Math.round(ms);
  const pad = (value: number, digits = 2) => String(value).padStart(digits, '0');
  const [hours, minutes, seconds] = [whole / 3_600_000, (whole / 60_000) % 60, (whole / 1000) % 60].map(Math.floor);
  return `${hours}:${pad(minutes ?? 0)}:${pad(seconds ?? 0)}.${pad(whole % 1000, 3)}`;
}

/**
 * The part of the sound that goes with each word: from it to the next, so that nothing of the sound is left out.
 * @param seconds of the whole sound
 */
export function clipsOf(words: readonly WordMark[], seconds: number): { begin: number; end: number }[] {
  const starts = words.map(({ start }, word) => (word === 0 ? 0 : Math.round(start)));
  return starts.map((begin, word) => ({
    begin,
    end: starts[word + 1] ?? Math.max(Math.round(seconds * 1000), begin + 1),
  }));
}

/** @param words spoken ones, of at least 1 ms each: {@link followable} */
export function overlayOf(words: readonly WordMark[], seconds: number, sound: string): string {
  const clips = clipsOf(words, seconds);
  const paragraphs = [...new Set(words.map(({ paragraph }) => paragraph))];
  const sequences = paragraphs.map((paragraph) => {
    const id = paragraphId(paragraph);
    const lines = words.flatMap((mark, word) => {
      const clip = clips[word];
      if (mark.paragraph !== paragraph || !clip) return [];
      return [
        `<par id="${wordId(word)}"><text src="story.xhtml#${wordId(word)}"/>` +
          `<audio src="${sound}" clipBegin="${clock(clip.begin)}" clipEnd="${clock(clip.end)}"/></par>`,
      ];
    });
    return `<seq id="${id}" epub:textref="story.xhtml#${id}">\n${lines.join('\n')}\n</seq>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>
<smil xmlns="http://www.w3.org/ns/SMIL" xmlns:epub="http://www.idpf.org/2007/ops" version="3.0">
<body epub:textref="story.xhtml">
${sequences.join('\n')}
</body>
</smil>
`;
}

/** Words whose clip would be shorter than what SMIL can say are left to the word before; so are those past the sound. */
export function followable(words: readonly WordMark[], seconds: number): WordMark[] {
  const kept: WordMark[] = [];
  for (const mark of words) {
    const start = Math.round(mark.start);
    const last = kept.at(-1);
    if (start >= Math.round(seconds * 1000) || (last && start <= Math.round(last.start))) continue;
    kept.push(mark);
  }
  return kept;
}
