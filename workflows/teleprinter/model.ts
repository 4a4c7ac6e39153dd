/**
 * The contract of the sample `teleprinter`: an article is typed, one character every 100 ms, to a reader who comes and
 * goes. Depends on nothing.
 *
 * @module
 */

export const ACTIVITY_TASK_QUEUE = 'longhaul-teleprinter';
export const WORKFLOW_TYPE = 'teleprinter';
/** Update: somebody reads on; answers where. Starts the workflow where there is none. */
export const READ_UPDATE = 'read';
/** Signal: nobody reads any more, unless somebody asked later than that. */
export const PAUSE_SIGNAL = 'pause';

/** Of the events that have characters; its attempts are the readings, from 1: each begins at the first character. */
export const SOURCE = 'teleprinter';
export const CHARACTER_MS = 100;

/** One teleprinter a reader. */
export const workflowIdOf = (userId: string): string => `teleprinter/${userId}`;

/** What the events of characters carry as data. Characters are counted as code points. */
export interface Typed {
  /** Of the first of them, from 0. */
  at: number;
  text: string;
}

/** As `Position` of a progress log. */
export interface LogPlace {
  epoch: string;
  seq: number;
}

export interface TeleprinterInput {
  /** The reader. */
  userId: string;
  characterMs?: number;
  /** Of the run that this one continues. */
  carried?: Carried;
}

export interface Carried {
  reading?: Reading;
  /** Whether somebody reads. */
  reads: boolean;
  /** Epoch ms, when the last one asked. */
  askedAt: number;
}

/** A place of an article. */
export interface Reading {
  /** From 1. */
  reading: number;
  /** The next character to be typed, from 0. */
  at: number;
  /** Of the article, in characters. */
  total: number;
  /** After which event of the log the reader goes on; absent: at its beginning. */
  after?: LogPlace;
}

export interface ReadInput {
  /** What this reader has acknowledged; without it the article is read from its beginning. */
  cursor?: LogPlace;
  /** Epoch ms, by the gateway. */
  askedAt?: number;
}

export interface PauseInput {
  /**
   * Epoch ms, by the gateway: since when nobody reads. That a reader has gone may be told after the same reader has come
   * back.
   */
  since?: number;
}

export interface TeleprinterResult {
  reading: number;
  at: number;
}
