/**
 * From the bytes a process writes to lines.
 *
 * @module
 */
import { StringDecoder } from 'node:string_decoder';

/** A longer line is cut: CloudWatch Logs takes 256 KiB an event, and a character may have four bytes. */
const LONGEST = 60_000;

export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  readonly #line: (text: string) => void;
  #rest = '';

  constructor(line: (text: string) => void) {
    this.#line = line;
  }

  push(bytes: Buffer): void {
    const parts = (this.#rest + this.#decoder.write(bytes)).split('\n');
    this.#rest = parts.pop() ?? '';
    for (const part of parts) this.#tell(part);
    while (this.#rest.length > LONGEST) {
      this.#line(this.#rest.slice(0, LONGEST));
      this.#rest = this.#rest.slice(LONGEST);
    }
  }

  /** What stood after the last end of a line. */
  end(): void {
    const rest = this.#rest + this.#decoder.end();
    this.#rest = '';
    if (rest !== '') this.#tell(rest);
  }

  #tell(part: string): void {
    const text = part.endsWith('\r') ? part.slice(0, -1) : part;
    if (text.length <= LONGEST) return this.#line(text);
    for (let from = 0; from < text.length; from += LONGEST) this.#line(text.slice(from, from + LONGEST));
  }
}
