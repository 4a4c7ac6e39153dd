/**
 * Showing what runs: redrawn in place on a terminal, a line for each change elsewhere.
 *
 * @module
 */
import type { LaunchProgress } from '../../workflows/launch/model.ts';
import { drawLaunch, seconds } from './picture.ts';

/** A picture that stands still for longer than this looks hung. */
const LINE_EVERY_MS = 2_000;
const FRAME_MS = 200;

/** How one picture looks. */
export interface Drawing<T> {
  /** The whole of it; `now` in epoch milliseconds. */
  draw(picture: T, now: number): string[];
  /** In one line. */
  line(picture: T): string;
  /** Epoch ms. */
  begun(picture: T): number;
}

const LAUNCH: Drawing<LaunchProgress> = {
  draw: drawLaunch,
  line: summarise,
  begun: ({ statuses }) => Math.min(...Object.values(statuses), Date.now()),
};

/** Shows every picture of a launch and returns the last one. */
export const showLive = (
  pictures: AsyncIterable<LaunchProgress>,
  stream: NodeJS.WriteStream,
): Promise<LaunchProgress | undefined> => showPictures(pictures, stream, LAUNCH);

/** Shows every picture and returns the last one. */
export async function showPictures<T>(
  pictures: AsyncIterable<T>,
  stream: NodeJS.WriteStream,
  drawing: Drawing<T>,
): Promise<T | undefined> {
  return stream.isTTY ? redraw(pictures, stream, drawing) : printLines(pictures, stream, drawing);
}

async function redraw<T>(
  pictures: AsyncIterable<T>,
  stream: NodeJS.WriteStream,
  drawing: Drawing<T>,
): Promise<T | undefined> {
  let last: T | undefined;
  let height = 0;
  const draw = () => {
    if (!last) return;
    // A line that wraps would make the cursor miss its way back.
    const lines = drawing
      .draw(last, Date.now())
      .flatMap((line) => line.split('\n'))
      .map((line) => cut(line, stream.columns));
    const up = height > 0 ? `\u001b[${height}A` : '';
    stream.write(`${up}${lines.map((line) => `\u001b[2K${line}\n`).join('')}\u001b[0J`);
    height = lines.length;
  };
  // Times run on between two pictures.
  const frames = setInterval(draw, FRAME_MS);
  try {
    for await (const picture of pictures) {
      last = picture;
      draw();
    }
  } finally {
    clearInterval(frames);
  }
  return last;
}

async function printLines<T>(
  pictures: AsyncIterable<T>,
  stream: NodeJS.WriteStream,
  drawing: Drawing<T>,
): Promise<T | undefined> {
  let last: T | undefined;
  let shown = '';
  let shownAt = 0;
  for await (const picture of pictures) {
    last = picture;
    const line = drawing.line(picture);
    if (line === shown && Date.now() - shownAt < LINE_EVERY_MS) continue;
    stream.write(`${seconds(Date.now() - drawing.begun(picture)).padStart(8)}  ${line}\n`);
    shown = line;
    shownAt = Date.now();
  }
  return last;
}

function summarise(picture: LaunchProgress): string {
  const steps = picture.steps.map(
    (step) =>
      `${step.name}${tasksOf(step)} ${step.state === 'RUNNING' || step.items.total > 1 ? `${step.items.succeeded}/${step.items.total} ` : ''}${step.state.toLowerCase()}`,
  );
  const { waitingFor, restore } = picture;
  const waiting = waitingFor && restore ? [`${waitingFor} ${restore.readable}/${restore.objects} objects`] : [];
  return [picture.status, ...waiting, ...steps].join(' | ');
}

function tasksOf({ tasks = [] }: LaunchProgress['steps'][number]): string {
  return tasks.length === 0
    ? ''
    : ` (${tasks.map(({ name, succeeded, total }) => `${name} ${succeeded}/${total}`).join(', ')})`;
}

/** Cuts to a width, not counting colour codes. */
function cut(line: string, columns: number): string {
  let width = 0;
  let result = '';
  for (const part of line.split(/(\u001b\[[0-9;]*m)/)) {
    if (part.startsWith('\u001b')) result += part;
    else {
      const room = Math.max(0, columns - 1 - width);
      result += part.slice(0, room);
      width += Math.min(part.length, room);
    }
  }
  return result;
}
