/**
 * Logs of containers by the API server, which keeps them as long as the pod.
 *
 * @module
 */
import type { CoreV1Api } from '@kubernetes/client-node';
import { codeOf } from './client.ts';

/** Of one page: a log may be larger than what a worker should hold. More only where less gives nothing new. */
const PAGE_BYTES = 1_048_576;
const LARGEST_PAGE_BYTES = 64 * PAGE_BYTES;
/** By how much the kubelet's clock may differ from this one. */
const SKEW_SECONDS = 5;

/** A line, and when the container wrote it: RFC 3339, of nanoseconds. */
export interface PodLine {
  time: string;
  text: string;
}

export interface PodPage {
  lines: PodLine[];
  /** Absent as long as there is no line; at the end the token that was given comes back. */
  token?: string;
}

export interface PodPageOptions {
  token?: string | undefined;
  /** Epoch milliseconds. */
  since?: number | undefined;
  /** The last lines instead of the first. */
  last?: number | undefined;
}

export class PodLogs {
  readonly #namespace: string;

  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  async last(core: CoreV1Api, stream: string, lines: number): Promise<string[]> {
    return split((await this.#read(core, stream, { tailLines: lines })) ?? '');
  }

  async page(core: CoreV1Api, stream: string, token: string | undefined): Promise<{ lines: string[]; token?: string }> {
    const page = (await this.lines(core, stream, { token })) ?? linesAfter('', token);
    return { ...page, lines: page.lines.map(({ text }) => text) };
  }

  /**
   * The API knows no place in a log but a time, and that by the second: so a page begins seconds before the last line,
   * and what was read before is left out. The token is that line's time, of nanoseconds, and how many lines had it.
   * @returns undefined where there is no such log: its container has not started, or is gone with its pod
   */
  async lines(core: CoreV1Api, stream: string, options: PodPageOptions): Promise<PodPage | undefined> {
    const { token, since = 0, last } = options;
    const [seen = ''] = (token ?? '').split('#');
    const begin = Math.max(since, seen === '' ? 0 : Date.parse(seen));
    const passed = Math.ceil((Date.now() - begin) / 1000);
    const from = begin === 0 ? {} : { sinceSeconds: Math.max(1, passed) + SKEW_SECONDS };
    for (let limitBytes = PAGE_BYTES; ; limitBytes *= 4) {
      const size = last === undefined ? { limitBytes } : { tailLines: last };
      const text = await this.#read(core, stream, { timestamps: true, ...size, ...from });
      if (text === undefined) return undefined;
      const page = linesAfter(text, token);
      const full = last === undefined && Buffer.byteLength(text) >= limitBytes;
      if (page.lines.length > 0 || !full || limitBytes >= LARGEST_PAGE_BYTES)
        return { ...page, lines: page.lines.filter(({ time }) => Date.parse(time) >= since) };
    }
  }

  async #read(core: CoreV1Api, stream: string, options: object): Promise<string | undefined> {
    const [name = '', container = ''] = stream.split('/');
    try {
      return (await core.readNamespacedPodLog({ name, namespace: this.#namespace, container, ...options })) ?? '';
    } catch (error) {
      // Gone with its pod; or the container has not started, or never will.
      if (codeOf(error) === 404 || codeOf(error) === 400) return undefined;
      throw error;
    }
  }
}

function linesAfter(text: string, token: string | undefined): PodPage {
  const [since = '', seen = '0'] = (token ?? '').split('#');
  let [last, same, skip] = [since, Number(seen), Number(seen)];
  const lines: PodLine[] = [];
  for (const line of wholeLines(text)) {
    const [time, rest] = cut(line);
    if (time < since) continue;
    if (time === since && skip > 0) {
      skip -= 1;
      continue;
    }
    lines.push({ time, text: rest });
    same = time === last ? same + 1 : 1;
    last = time;
  }
  return { lines, ...(last !== '' && { token: `${last}#${same}` }) };
}

const split = (text: string): string[] =>
  text
    .split('\n')
    .slice(0, text.endsWith('\n') ? -1 : undefined)
    .filter(Boolean);
/** A page that is full may end within a line, which the next one has whole. */
const wholeLines = (text: string): string[] =>
  text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter(Boolean);

function cut(line: string): [string, string] {
  const space = line.indexOf(' ');
  return [line.slice(0, space), line.slice(space + 1)];
}
