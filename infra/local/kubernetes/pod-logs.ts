/**
 * What containers have written, as the kubelet keeps it: with the pod, each line with its time.
 *
 * @module
 */
import type { LogPort } from '../aws/ports.ts';

interface Line {
  /** Of nanoseconds, in UTC. */
  time: string;
  at: number;
  message: string;
}

export interface LogQuery {
  tailLines?: number;
  limitBytes?: number;
  timestamps?: boolean;
  /** Epoch milliseconds. */
  since?: number;
}

export class PodLogs implements LogPort {
  readonly #streams = new Map<string, Line[]>();
  #written = 0;

  /** @param stream `<uid of the pod>/<container>` */
  append(_group: string, stream: string, lines: readonly { timestamp: number; message: string }[]): void {
    const known = this.#streams.get(stream) ?? [];
    this.#streams.set(stream, known);
    for (const { timestamp, message } of lines) {
      this.#written += 1;
      const nanos = String(this.#written % 1_000_000).padStart(6, '0');
      known.push({ time: `${new Date(timestamp).toISOString().slice(0, -1)}${nanos}Z`, at: timestamp, message });
    }
  }

  read(stream: string, { tailLines, limitBytes, timestamps, since }: LogQuery): string {
    const lines = (this.#streams.get(stream) ?? []).filter(({ at }) => since === undefined || at >= since);
    const wanted = tailLines === undefined ? lines : lines.slice(Math.max(0, lines.length - tailLines));
    const text = wanted.map(({ time, message }) => `${timestamps ? `${time} ` : ''}${message}\n`).join('');
    return limitBytes === undefined ? text : Buffer.from(text).subarray(0, limitBytes).toString('utf8');
  }

  forget(uid: string): void {
    for (const stream of this.#streams.keys()) if (stream.startsWith(`${uid}/`)) this.#streams.delete(stream);
  }
}
