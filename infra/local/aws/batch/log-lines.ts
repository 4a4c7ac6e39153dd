/**
 * What a container writes, line by line, to its log stream, as Docker's awslogs driver does it. Each chunk is handed
 * on before the next is read, so that a flood of output waits in the job's pipe, not in memory.
 *
 * @module
 */
import type { Readable } from 'node:stream';

/** CloudWatch Logs takes events of 256 KiB, of which 26 bytes are overhead. */
const LONGEST = 262_144 - 26;

/** Splits bytes into lines; a longer line is cut into pieces, never within a character. */
export class LineSplitter {
  #rest: Buffer = Buffer.alloc(0);

  /** The lines that are complete now; empty ones are left out, since no log event may be empty. */
  push(chunk: Buffer): string[] {
    const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const lines: string[] = [];
    let start = 0;
    for (let end = data.indexOf(10, start); end >= 0; end = data.indexOf(10, start)) {
      addPieces(lines, data.subarray(start, end));
      start = end + 1;
    }
    let rest = data.subarray(start);
    while (rest.length > LONGEST) {
      const cut = cutAt(rest);
      lines.push(rest.toString('utf8', 0, cut));
      rest = rest.subarray(cut);
    }
    // A copy: a view would hold the whole chunk.
    this.#rest = Buffer.from(rest);
    return lines;
  }

  /** What stands after the last line break. */
  end(): string[] {
    const lines: string[] = [];
    addPieces(lines, this.#rest);
    this.#rest = Buffer.alloc(0);
    return lines;
  }
}

function addPieces(lines: string[], line: Buffer): void {
  let rest = line;
  while (rest.length > 0) {
    const cut = rest.length > LONGEST ? cutAt(rest) : rest.length;
    lines.push(rest.toString('utf8', 0, cut));
    rest = rest.subarray(cut);
  }
}

function cutAt(bytes: Buffer): number {
  let cut = LONGEST;
  // 10xxxxxx goes on with a character (UTF-8); at most three such bytes follow its first.
  while (cut > LONGEST - 4 && ((bytes[cut] ?? 0) & 0xc0) === 0x80) cut -= 1;
  return cut;
}

/** Resolves when the stream has ended and its last line is written. */
export function writeLines(stream: Readable, write: (lines: string[]) => void): Promise<void> {
  const splitter = new LineSplitter();
  return new Promise((resolve) => {
    stream.on('data', (chunk: Buffer) => {
      const lines = splitter.push(chunk);
      if (lines.length > 0) write(lines);
    });
    stream.once('error', () => {});
    stream.once('close', () => {
      const lines = splitter.end();
      if (lines.length > 0) write(lines);
      resolve();
    });
  });
}
