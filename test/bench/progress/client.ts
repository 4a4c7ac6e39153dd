/**
 * A client as the crowd sees it: one connection that watches one run, and comes again by itself.
 *
 * @module
 */
export interface ClientOptions {
  /** Ports on loopback: the first is tried first, then the next in turns. */
  port: number;
  run: string;
  /** Distinguishes clients: each has an identity of its own. */
  client: number;
  /**
   * @param n number of the message within its run
   * @param toldAt when it was told, ms of the machine's clock
   * @param stands how many it stands for, where a slow client is told less
   */
  onMessage(n: number, toldAt: number, stands: number): void;
  /** A connection lives and is subscribed. `recovered`: the system says nothing was lost meanwhile. */
  onLive(recovered: boolean): void;
}

export interface BenchClient {
  close(): void;
}

export type OpenClient = (options: ClientOptions) => BenchClient;
