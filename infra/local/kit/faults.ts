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
  /**
   * `hang`: no answer, ever; the race point at which a caller can be killed. A call that hangs does so each time its SDK
   * tries it again. Of an event on its way to a queue (service
   * `events`, subject the rule): `reset` of operation `Deliver` loses it, `double` of `Deliver` delivers it twice, `delay`
   * of operation `Arrive` lets it come later.
   */
  effect: 'throttle' | 'error' | 'delay' | 'reset' | 'hang' | 'double';
  /** Before the effect (default) or after it: then the work is done and only the answer is lost. */
  when?: 'before' | 'after';
  /** For `error`: HTTP status (default 500) and the service's error code (default InternalFailure). */
  status?: number;
  code?: string;
  /** For `delay`: milliseconds of real time. */
  delayMs?: number;
  /** For `delay`: a random part of `delayMs`, so that what follows may overtake. */
  jitter?: boolean;
}

/** What the front door does with one call. */
export type Fault = Required<Pick<FaultRule, 'effect' | 'when' | 'status' | 'code' | 'delayMs'>>;

export class FaultPlan {
  #rules: { rule: FaultRule; seen: number; struck: number; random: () => number }[] = [];
  /** What hangs, by invocation. */
  readonly #hanging = new Map<string, Fault>();

  /** Replaces the plan; counting starts anew. */
  set(rules: readonly FaultRule[]): void {
    this.#hanging.clear();
    this.#rules = rules.map((rule) => ({ rule, seen: 0, struck: 0, random: mulberry32(rule.seed ?? 1) }));
  }

  /** How often each rule of the plan has hit, in their order. */
  hits(): number[] {
    return this.#rules.map(({ struck }) => struck);
  }

  /**
   * Counts one call against every rule and returns the fault of the first rule that hits it.
   * @param call.invocation the same for all tries of one call, where the caller tells (`amz-sdk-invocation-id`)
   */
  take(call: { service: string; operation: string; subject: string; invocation?: string }): Fault | undefined {
    const { invocation = '' } = call;
    let hit = this.#hanging.get(invocation);
    if (hit) return hit;
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
          delayMs: Math.round((rule.delayMs ?? 0) * (rule.jitter ? entry.random() : 1)),
        };
      }
    }
    if (hit?.effect === 'hang' && invocation !== '') this.#hanging.set(invocation, hit);
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
