/**
 * The call log: what each stand-in was asked, without bodies (they may hold anything). Tests count with it; a person
 * reads it at `/_longhaul/calls`.
 *
 * @module
 */

export interface Call {
  /** Rises by one per call, from 1, over all services. */
  seq: number;
  /** ISO time by the stand-ins' clock. */
  at: string;
  service: string;
  operation: string;
  /** What was acted on: job name, bucket/key, queue, table; never values. */
  subject: string;
  /** HTTP status of the answer; 0 when the connection was reset. */
  status: number;
  /** The service's error code, empty on success. */
  error: string;
  /** Access key id of the caller: jobs have one of their own, so their calls can be told from the workers'. */
  principal: string;
}

export class CallLog {
  #calls: Call[] = [];
  #seq = 0;
  readonly #keep: number;

  /** @param keep how many calls stay in memory; older ones are dropped. */
  constructor(keep = 200_000) {
    this.#keep = keep;
  }

  add(call: Omit<Call, 'seq'>): void {
    this.#seq += 1;
    this.#calls.push({ seq: this.#seq, ...call });
    if (this.#calls.length > this.#keep * 1.1) this.#calls = this.#calls.slice(-this.#keep);
  }

  /** The calls after `afterSeq` that match, oldest first. */
  list(filter: { service?: string; operation?: string; afterSeq?: number } = {}): Call[] {
    return this.#calls.filter(
      (call) =>
        call.seq > (filter.afterSeq ?? 0) &&
        (filter.service === undefined || call.service === filter.service) &&
        (filter.operation === undefined || call.operation === filter.operation),
    );
  }

  get lastSeq(): number {
    return this.#seq;
  }
}
