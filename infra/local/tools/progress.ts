/**
 * How a tool tells what it is doing while a person waits: plain events, at least about one a second.
 *
 * @module
 */

export interface ToolEvent {
  /** The tool or process the event is about, such as `temporal` or `dynamodb`. */
  tool: string;
  /** What is being done, in a few words: `downloading modules`, `found on PATH`. */
  step: string;
  /** What changes while the step runs: counts, the last line of output, elapsed seconds. */
  detail?: string;
  /** 0 to 100, only where the end is known. */
  percent?: number;
}

export type Progress = (event: ToolEvent) => void;

/** For callers that show nothing. */
export const silent: Progress = () => {};

/** Calls `report` once a second until the returned function is called. */
export function everySecond(report: (elapsedSeconds: number) => void): () => void {
  const begun = Date.now();
  const timer = setInterval(() => report(Math.round((Date.now() - begun) / 1000)), 1000);
  return () => clearInterval(timer);
}

/** What a tool could not do, what was tried, and what the reader can do about it. */
export class ToolError extends Error {
  override readonly name = 'ToolError';
  readonly tool: string;
  readonly tried: readonly string[];
  readonly remedy: string;

  constructor(tool: string, problem: string, options: { tried?: readonly string[]; remedy: string; cause?: unknown }) {
    const tried = options.tried ?? [];
    const lines = [
      `${tool}: ${problem}`,
      ...tried.map((line) => `  tried: ${indent(line)}`),
      `  remedy: ${options.remedy}`,
    ];
    super(lines.join('\n'), options.cause === undefined ? undefined : { cause: options.cause });
    this.tool = tool;
    this.tried = tried;
    this.remedy = options.remedy;
  }
}

function indent(text: string): string {
  return text.replaceAll('\n', '\n    ');
}
