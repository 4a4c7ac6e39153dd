/**
 * How long the frames are that come in (RFC 6455, 5.2): a WebSocket library only tells of whole messages, and API Gateway
 * also refuses a short message in too long a frame.
 *
 * @module
 */

/** Follows the bytes of one direction of a connection. */
export class FrameMeter {
  /** What of the header of the frame that begins has been seen. */
  #header = Buffer.alloc(0);
  /** Bytes of the present frame's payload that are still to come. */
  #payload = 0;

  /** @returns the longest payload of the frames that began in these bytes; 0 when none did */
  take(chunk: Buffer): number {
    let longest = 0;
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#payload > 0) {
        const passed = Math.min(this.#payload, rest.length);
        this.#payload -= passed;
        rest = rest.subarray(passed);
        continue;
      }
      this.#header = Buffer.concat([this.#header, rest]);
      const head = readHeader(this.#header);
      if (!head) return longest;
      rest = this.#header.subarray(head.bytes);
      this.#header = Buffer.alloc(0);
      this.#payload = head.payload;
      longest = Math.max(longest, head.payload);
    }
    return longest;
  }
}

function readHeader(bytes: Buffer): { bytes: number; payload: number } | undefined {
  if (bytes.length < 2) return undefined;
  const second = bytes.readUInt8(1);
  const short = second & 0x7f;
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
  const masked = (second & 0x80) !== 0 ? 4 : 0;
  const length = 2 + extended + masked;
  if (bytes.length < length) return undefined;
  const payload = extended === 2 ? bytes.readUInt16BE(2) : extended === 8 ? Number(bytes.readBigUInt64BE(2)) : short;
  return { bytes: length, payload };
}
