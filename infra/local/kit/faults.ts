/**
 * Fault plans: which call of a kind goes wrong, how, and whether before or after it had its effect. The case that
 * hurts in practice is "after": the service did the work, the caller never hears of it.
 *
 * @module
 */

export interface FaultRule {
  /** Signing name of the service, such as `batch`, `s3`, `dynamodb`; every one when left out. */
  service?: string;
  /** Operation, such as `SubmitJob`; every one when left out. */
  operation?: string;
  /** Only calls whose subject (job name, key, table) contains this text. */
  subject?: string;
  /** The first matching call that is hit, counted from 1 (default 1). */
  nth?: number;
  /** How many matching calls in a row are hit (default 1). */
  times?: number;
  /** Instead of nth/times: the share of matching calls that are hit, 0 to 1, drawn from `seed`. */
  share?: number;
  seed?: number;
  /** `hang`: no answer, ever; the race point at which a caller can be killed. */
  effect: 'throttle' | 'error' | 'delay' | 'reset' | 'hang';
  /** Before the effect (default) or after it: then the work is done and only the answer is lost. */
  when?: 'before' | 'after';
  /** For `error`: HTTP status (default 500) and the service's error code (default InternalFailure). */
  status?: number;
  code?: string;
  /** For `delay`: milliseconds of real time. */
  delayMs?: number;
}

/** What the front door does with one call. */
export type Fault = Required<Pick<FaultRule, 'effect' | 'when' | 'status' | 'code' | 'delayMs'>>;

export class FaultPlan {
  #rules: { rule: FaultRule; seen: number; struck: number; random: () => number }[] = [];

  /** Replaces the plan; counting starts anew. */
  set(rules: readonly FaultRule[]): void {
    this.#rules = rules.map((rule) => ({ rule, seen: 0, struck: 0, random: mulberry32(rule.seed ?? 1) }));
  }

  /** How often each rule of the plan has hit, in their order. */
  hits(): number[] {
    return this.#rules.map(({ struck }) => struck);
  }

  /** Counts one call against every rule and returns the fault of the first rule that hits it. */
  take(call: { service: string; operation: string; subject: string }): Fault | undefined {
    let hit: Fault | undefined;
    for (const entry of this.#rules) {
      const { rule } = entry;
      if (rule.service !== undefined && rule.service !== call.service) continue;
      if (rule.operation !== undefined && rule.operation !== call.operation) continue;
      if (rule.subject !== undefined && !call.subject.includes(rule.subject)) continue;
      entry.seen += 1;
      const first = rule.nth ?? 1;
      const struck =
        rule.share === undefined
          ? entry.seen >= first && entry.seen < first + (rule.times ?? 1)
          : entry.random() < rule.share;
      if (struck && hit === undefined) {
        entry.struck += 1;
        hit = {
          effect: rule.effect,
          when: rule.when ?? 'before',
          status: rule.status ?? 500,
          code: rule.code ?? 'InternalFailure',
          delayMs: rule.delayMs ?? 0,
        };
      }
    }
    return hit;
  }
}

/** Mulberry32, a 32-bit generator by T. Ettinger (public domain): the same seed gives the same faults. */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
