/**
 * What is being fetched, built and started, while a person waits.
 *
 * @module
 */
import pc from 'picocolors';
import type { Progress, ToolEvent } from '../../infra/local/tools/index.ts';

/**
 * One line for each thing under way, redrawn on a terminal; elsewhere a line for each new step, and one every few
 * seconds while a step lasts.
 */
export function showProgress(stream: NodeJS.WriteStream): { progress: Progress; end(): void } {
  const begun = Date.now();
  const latest = new Map<string, ToolEvent>();
  let height = 0;
  let ended = false;
  const draw = () => {
    const lines = [...latest.values()].map((event) => describe(event).slice(0, Math.max(20, stream.columns - 1)));
    stream.write(
      `${height > 0 ? `\u001b[${height}A` : ''}${lines.map((line) => `\u001b[2K${line}\n`).join('')}\u001b[0J`,
    );
    height = lines.length;
  };
  const printed = new Map<string, { step: string; at: number }>();
  const printLine = (event: ToolEvent) => {
    const last = printed.get(event.tool);
    if (last?.step === event.step && Date.now() - last.at < 2_000) return;
    printed.set(event.tool, { step: event.step, at: Date.now() });
    stream.write(`${((Date.now() - begun) / 1000).toFixed(1).padStart(6)} s  ${describe(event)}\n`);
  };
  return {
    progress(event) {
      latest.set(event.tool, event);
      // Once other lines have followed, there is no way back to where these were drawn.
      if (stream.isTTY && !ended) draw();
      else printLine(event);
    },
    end() {
      ended = true;
      if (stream.isTTY && height > 0) stream.write('\n');
    },
  };
}

function describe({ tool, step, detail, percent }: ToolEvent): string {
  const share = percent === undefined ? '' : ` ${Math.round(percent)} %`;
  return `${pc.bold(tool.padEnd(10))} ${step}${share}${detail ? pc.dim(`  ${detail.split('\n').at(-1) ?? ''}`) : ''}`;
}
