/**
 * Problems found in a sheet: where, what, and what to do; and the one error they are thrown as, all at once.
 *
 * @module
 */
import type { LaunchErrorType } from '../model.ts';

export interface Problem {
  /** `missing`: a parameter or object that is not there. `invalid`: one that cannot be used. */
  kind: 'missing' | 'invalid';
  /** Path inside the sheet, such as `steps.align.image`. */
  at: string;
  /** Line in the file, from 1; undefined where there is none to point at. */
  line?: number;
  message: string;
}

/** Thrown when a sheet cannot be launched; carries every problem found, not only the first. */
export class SheetError extends Error {
  override readonly name = 'SheetError';
  readonly type: Extract<LaunchErrorType, 'MissingRequiredParametersError' | 'InvalidSheetError'>;
  readonly problems: readonly Problem[];

  /** @param file the name the user knows the sheet by: a path or an `s3://` address */
  constructor(file: string, problems: readonly Problem[]) {
    super(problems.map((problem) => describe(file, problem)).join('\n'));
    this.problems = problems;
    // The seed's name for both a parameter that is not provided and an object that cannot be read.
    this.type = problems.some((problem) => problem.kind === 'missing')
      ? 'MissingRequiredParametersError'
      : 'InvalidSheetError';
  }
}

function describe(file: string, problem: Problem): string {
  const place = problem.line === undefined ? file : `${file}:${problem.line}`;
  return problem.at ? `${place}: ${problem.at}: ${problem.message}` : `${place}: ${problem.message}`;
}
