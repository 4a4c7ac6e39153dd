/**
 * Reading CSV as S3 writes it: fields in quotes may hold commas, line ends and doubled quotes; lines end with LF or CRLF.
 *
 * @module
 */

/** Of one row, characters: more would be no CSV, and no memory holds any length. */
export const LONGEST_ROW = 1024 * 1024;

/** A row that is longer than {@link LONGEST_ROW}. */
export class LongRowError extends Error {
  override readonly name = 'LongRowError';
}

/**
 * The rows of a text that comes in pieces, as many as it has; empty lines are left out.
 * @throws LongRowError
 */
export async function* csvRows(pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<string[]> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const reader = new RowReader();
  for await (const piece of pieces) yield* reader.read(decoder.decode(piece, { stream: true }));
  yield* reader.read(decoder.decode());
  yield* reader.end();
}

class RowReader {
  #row: string[] = [];
  #field = '';
  /** Something of this line was read, be it only a pair of quotes. */
  #begun = false;
  #inQuotes = false;
  #length = 0;
  /** The last character was a quote that ended the quotes, or is half of a doubled one. */
  #closed = false;

  *read(text: string): Generator<string[]> {
    for (const char of text) {
      this.#length += 1;
      if (this.#length > LONGEST_ROW) throw new LongRowError(`longer than ${LONGEST_ROW} characters`);
      const closed = this.#closed;
      this.#closed = false;
      if (this.#inQuotes) {
        if (char === '"') {
          this.#inQuotes = false;
          this.#closed = true;
        } else this.#field += char;
      } else if (char === '"') {
        if (closed) this.#field += char;
        this.#inQuotes = true;
        this.#begun = true;
      } else if (char === ',') {
        this.#endField();
        this.#begun = true;
      } else if (char === '\n') {
        yield* this.end();
      } else if (char !== '\r') {
        this.#field += char;
        this.#begun = true;
      }
    }
  }

  /** The row that has begun, if one has. */
  *end(): Generator<string[]> {
    this.#length = 0;
    if (!this.#begun) return;
    this.#endField();
    const row = this.#row;
    this.#row = [];
    this.#begun = false;
    this.#inQuotes = false;
    yield row;
  }

  #endField(): void {
    this.#row.push(this.#field);
    this.#field = '';
  }
}
