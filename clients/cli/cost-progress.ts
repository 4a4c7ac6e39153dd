/**
 * Word of what takes longer than a second: on standard error, so that it never gets into a file or a pipe.
 *
 * @module
 */

const SILENT_MS = 1_000;
const LINE_EVERY_MS = 5_000;
const FRAME_MS = 100;

export interface Teller {
  tell(words: string): void;
  /** Takes the words away again. */
  done(): void;
}

/** On a terminal one line that changes, elsewhere a line now and then. */
export function createTeller(stream: NodeJS.WriteStream = process.stderr): Teller {
  const begun = Date.now();
  let last = 0;
  return {
    tell(words) {
      const now = Date.now();
      if (now - begun < SILENT_MS || now - last < (stream.isTTY ? FRAME_MS : LINE_EVERY_MS)) return;
      last = now;
      stream.write(stream.isTTY ? `\r\u001b[2K${words}` : `${words}\n`);
    },
    done() {
      if (last > 0 && stream.isTTY) stream.write('\r\u001b[2K');
    },
  };
}
