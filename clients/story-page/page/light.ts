/**
 * Lights the word that is spoken, and keeps it in sight; beside the rendering of the page, since it happens with every frame.
 *
 * @module
 */
import type { WordMark } from '../../../lib/story/document.ts';
import { wordAt } from '../../../lib/story/words.ts';

const LIT = 'lit';
/** A reader who has moved the page looks at something else for a while. */
const LOOKS_ELSEWHERE_MS = 4_000;
const MARGIN = 24;

export class WordLight {
  readonly #words: readonly WordMark[];
  readonly #spans = new Map<number, HTMLElement>();
  #lit = -1;
  #movedAt = Number.NEGATIVE_INFINITY;

  constructor(words: readonly WordMark[]) {
    this.#words = words;
    for (const span of document.querySelectorAll<HTMLElement>('[data-word]'))
      this.#spans.set(Number(span.dataset['word']), span);
    for (const type of ['wheel', 'touchmove', 'keydown'] as const)
      addEventListener(type, this.#moved, { passive: true });
  }

  /** @param seconds of the sound */
  show(seconds: number, { follow = false } = {}): void {
    const word = wordAt(this.#words, seconds * 1000);
    if (word === this.#lit) return;
    this.#spans.get(this.#lit)?.classList.remove(LIT);
    this.#lit = word;
    const span = this.#spans.get(word);
    span?.classList.add(LIT);
    if (span && follow && performance.now() - this.#movedAt > LOOKS_ELSEWHERE_MS) keepInSight(span);
  }

  /** In the text; empty: none is lit. */
  get word(): string {
    return this.#spans.get(this.#lit)?.textContent ?? '';
  }

  end(): void {
    this.#spans.get(this.#lit)?.classList.remove(LIT);
    for (const type of ['wheel', 'touchmove', 'keydown'] as const) removeEventListener(type, this.#moved);
  }

  readonly #moved = (event: Event) => {
    const keys = ['PageUp', 'PageDown', 'Home', 'End', 'ArrowUp', 'ArrowDown', ' '];
    if (event instanceof KeyboardEvent && (event.target !== document.body || !keys.includes(event.key))) return;
    this.#movedAt = performance.now();
  };
}

function keepInSight(span: HTMLElement): void {
  const { top, bottom } = span.getBoundingClientRect();
  const foot = document.querySelector('.player')?.getBoundingClientRect().top ?? innerHeight;
  if (top >= MARGIN && bottom <= foot - MARGIN) return;
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
  scrollBy({ top: top - foot * 0.35, behavior: still ? 'auto' : 'smooth' });
}
