/**
 * What is wrong with what somebody has asked for about stories: told alike by the command line and by the gateway.
 *
 * @module
 */

/**
 * `input`: it cannot be used as it is. `unknown`: it is not there. `conflict`: it is, but not in a state for this.
 * `unavailable`: a service that is needed refuses, or does not answer.
 */
export type StoryProblemKind = 'input' | 'unknown' | 'conflict' | 'unavailable';

export class StoryProblem extends Error {
  override readonly name = 'StoryProblem';
  readonly kind: StoryProblemKind;
  /** What to do, in words for commands and requests alike. */
  readonly remedy: string;

  constructor(kind: StoryProblemKind, message: string, remedy: string) {
    super(message);
    this.kind = kind;
    this.remedy = remedy;
  }
}
