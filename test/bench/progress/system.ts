/**
 * A system under measurement: servers that clients connect to, and a place that messages are told at.
 *
 * @module
 */
import type { Program } from '../../support/program.ts';
import type { Message } from './plan.ts';

export interface StartOptions {
  /** Heartbeats as each system has them by itself; else quick ones, {@link PATIENCE}. */
  patient: boolean;
  /** How many there are: {@link runOf} names them. */
  runs: number;
}

export interface Running {
  /** Of the servers that clients connect to. */
  ports: readonly number[];
  /** The first server: its memory and processor time are looked at. */
  server: Program;
  /**
   * Tells messages, in order.
   * @returns of messages that have come to be kept since the last call, how long that took (ms)
   */
  publish(messages: readonly Message[]): Promise<readonly number[]>;
  /** Waits until all are kept. @returns the same */
  flush?(): Promise<readonly number[]>;
  /** Kills a server as a machine dies, and starts another one on its port; undefined where messages would be told to nobody. */
  restart?(nth: number): Promise<void>;
  close(): Promise<void>;
}

export interface System {
  name: string;
  /** Of the crowd: which client it takes. */
  client: 'socketio' | 'longhaul';
  /** Messages are kept outside of the servers. */
  durable: boolean;
  start(options: StartOptions): Promise<Running>;
}
