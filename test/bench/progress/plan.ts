/**
 * What is measured, in numbers that are the same for every system: who watches what, what is told, who is cut off when.
 *
 * @module
 */
import { mulberry32 } from '../../../infra/local/kit/faults.ts';
import type { Cut } from '../../support/chaos-proxy.ts';

/** Of a message, in whichever system: its number, and when it was told (ms of the machine's clock). */
export interface Told {
  n: number;
  at: number;
}

/** What is told of a run: its number within the run, from 1, and ballast. */
export interface Message {
  run: string;
  n: number;
  text: string;
}

export interface Load {
  clients: number;
  runs: number;
  /** Messages a second, over all runs. */
  rate: number;
  seconds: number;
}

export const runOf = (nth: number): string => `bench/run-${nth}`;

/** Each client watches one run. */
export const runOfClient = (client: number, { runs }: Pick<Load, 'runs'>): string => runOf(client % runs);

/** About what a report of a step has. */
const TEXT = 'Aligned sample 17 of 96 to the reference, 4,211,003 reads so far';

/** The messages of a load in the order they are told, dealt out to the runs in turns. */
export function* messagesOf({ runs, rate, seconds }: Load, from = 0): Generator<Message> {
  for (let nth = from; nth < from + Math.round(rate * seconds); nth += 1) {
    yield { run: runOf(nth % runs), n: 1 + Math.floor(nth / runs), text: TEXT };
  }
}

/** How many a run is told of in all, after so many messages. */
export const toldOf = (run: number, messages: number, runs: number): number =>
  Math.floor(messages / runs) + (run < messages % runs ? 1 : 0);

export interface Mishap {
  /** ms. */
  after: number;
  /** Counted from the connection, which may be before it is of any use; else from the subscription. */
  early: boolean;
  how: Cut;
}

/** Of all mishaps 15 % are silent ones: they take longest, and are where what was sent is lost. */
const SILENT = 0.15;
const ENDED = 0.4;
const EARLY = 0.2;

/** The same seed and client: the same mishaps, in whichever system. */
export function mishapsOf(client: number, count: number, seed: number): Mishap[] {
  const random = mulberry32(seed * 100_003 + client);
  return Array.from({ length: count }, () => {
    const early = random() < EARLY;
    const after = Math.round(early ? random() * 40 : 20 + random() * 480);
    const draw = random();
    return { after, early, how: draw < SILENT ? 'silence' : draw < ENDED ? 'end' : 'reset' };
  });
}

/** How soon silence is noticed and how soon a client comes again, ms: the same for all. */
export const PATIENCE = { heartbeatMs: 1_000, retryMs: 50, retryMaxMs: 500 } as const;
