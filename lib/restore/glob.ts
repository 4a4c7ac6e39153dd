/**
 * Patterns of keys that are matched in time that grows with their length alone. A regular expression goes back and tries
 * again at every wildcard: one such as `*a*a*a*a*a*a*b` would hold a worker up for years on a key of many a's.
 *
 * @module
 */
import { patternToRegExp } from '../../workflows/launch/patterns.ts';

export interface Matcher {
  test(key: string): boolean;
}

/** Up to so many wildcards a regular expression is faster, and at worst takes the square of the key's length. */
const FEW = 2;

/** Means the same as {@link patternToRegExp}: `*` and `?` within a name, `**` over folders. */
export function matcherOf(pattern: string): Matcher {
  const parts = pattern.split(/(\*\*\/|\*\*|\*|\?)/);
  const wildcards = parts.filter((part) => part.startsWith('*')).length;
  return wildcards <= FEW ? patternToRegExp(pattern) : new StepMatcher(parts);
}

/**
 * `stay`: which letters it may take any number of. Then it goes to the next step by itself, or, where it is `folders`,
 * behind a slash only.
 */
type Step =
  | { kind: 'letter'; letter: string }
  | { kind: 'one' }
  | { kind: 'stay'; overSlashes: boolean }
  | { kind: 'maybe' }
  | { kind: 'folders' };

/** Follows all ways through the pattern at once. */
class StepMatcher implements Matcher {
  readonly #steps: Step[];

  constructor(parts: readonly string[]) {
    this.#steps = parts.flatMap((part): Step[] => {
      if (part === '**/') return [{ kind: 'maybe' }, { kind: 'folders' }];
      if (part === '**') return [{ kind: 'stay', overSlashes: true }];
      if (part === '*') return [{ kind: 'stay', overSlashes: false }];
      if (part === '?') return [{ kind: 'one' }];
      return Array.from(part, (letter) => ({ kind: 'letter', letter }));
    });
  }

  test(key: string): boolean {
    let at = new Set<number>();
    this.#reach(0, at);
    for (const letter of key) {
      const next = new Set<number>();
      for (const place of at) this.#take(letter, place, next);
      if (next.size === 0) return false;
      at = next;
    }
    return at.has(this.#steps.length);
  }

  #take(letter: string, place: number, next: Set<number>): void {
    const step = this.#steps[place];
    if (step === undefined) return;
    const slash = letter === '/';
    if (step.kind === 'letter' && step.letter === letter) this.#reach(place + 1, next);
    if (step.kind === 'one' && !slash) this.#reach(place + 1, next);
    if (step.kind === 'stay' && (step.overSlashes || !slash)) this.#reach(place, next);
    if (step.kind !== 'folders') return;
    next.add(place);
    if (slash) this.#reach(place + 1, next);
  }

  /** A step, and those that are reached from it without a letter. */
  #reach(place: number, into: Set<number>): void {
    if (into.has(place)) return;
    into.add(place);
    const kind = this.#steps[place]?.kind;
    if (kind === 'stay' || kind === 'maybe') this.#reach(place + 1, into);
    if (kind === 'maybe') this.#reach(place + 2, into);
  }
}
