/**
 * The rules of the default bus and their targets, with their journal; and the way of an event from the bus into the
 * queues.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Kit } from '../../kit/front-door.ts';
import { type Journal, openJournal } from '../../kit/journal.ts';
import type { Place, QueuePort } from '../ports.ts';
import { matches, type Pattern, parsePattern } from './pattern.ts';

export interface Target {
  Id: string;
  Arn: string;
  /** Constant text sent instead of the event. */
  Input?: string;
  DeadLetterConfig?: { Arn?: string };
  RoleArn?: string;
  RetryPolicy?: Record<string, number>;
}

export interface Rule {
  name: string;
  eventPattern: string;
  state: 'ENABLED' | 'DISABLED';
  description?: string;
  roleArn?: string;
  targets: Target[];
}

/** An event as it stands on the bus. */
export interface Envelope {
  version: '0';
  id: string;
  'detail-type': string;
  source: string;
  account: string;
  time: string;
  region: string;
  resources: readonly string[];
  detail: Record<string, unknown>;
}

type Entry = { op: 'rule'; rule: Rule } | { op: 'end'; name: string };

export class RuleStore {
  readonly #kit: Kit;
  readonly #place: Place;
  readonly #queues: QueuePort;
  readonly #rules = new Map<string, { rule: Rule; pattern: Pattern }>();
  readonly #journal: Journal<Entry>;

  constructor(options: { kit: Kit; place: Place; directory: string; queues: QueuePort }) {
    this.#kit = options.kit;
    this.#place = options.place;
    this.#queues = options.queues;
    this.#journal = openJournal<Entry>({
      file: join(options.directory, 'rules.jsonl'),
      replay: (entry) => {
        if (entry.op === 'rule') this.#keep(entry.rule);
        else this.#rules.delete(entry.name);
      },
      snapshot: () => [...this.#rules.values()].map(({ rule }): Entry => ({ op: 'rule', rule })),
    });
  }

  find(name: string): Rule | undefined {
    return this.#rules.get(name)?.rule;
  }

  list(): Rule[] {
    return [...this.#rules.values()].map(({ rule }) => rule).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  put(rule: Rule): void {
    this.#journal.append({ op: 'rule', rule });
    this.#keep(rule);
  }

  end(name: string): void {
    this.#journal.append({ op: 'end', name });
    this.#rules.delete(name);
  }

  arn(name: string): string {
    return `arn:aws:events:${this.#place.region}:${this.#place.accountId}:rule/${name}`;
  }

  /** Puts an event on the bus: into the queue of every target of every rule that matches. */
  publish(event: Pick<Envelope, 'detail-type' | 'source' | 'resources' | 'detail'> & { time?: Date }): string {
    const time = event.time ?? this.#kit.clock.date();
    const envelope: Envelope = {
      version: '0',
      id: randomUUID(),
      'detail-type': event['detail-type'],
      source: event.source,
      account: this.#place.accountId,
      time: time.toISOString().replace(/\.\d{3}Z$/, 'Z'),
      region: this.#place.region,
      resources: event.resources,
      detail: event.detail,
    };
    const text = JSON.stringify(envelope);
    for (const { rule, pattern } of this.#rules.values()) {
      if (rule.state !== 'ENABLED' || !matches(pattern, envelope)) continue;
      const sender = { service: 'events.amazonaws.com', sourceArn: this.arn(rule.name) } as const;
      for (const target of rule.targets) {
        const body = target.Input ?? text;
        const deadLetters = target.DeadLetterConfig?.Arn;
        const deliver = () => {
          if (!this.#queues.deliver(target.Arn, body, sender) && deadLetters !== undefined)
            this.#queues.deliver(deadLetters, text, sender);
        };
        this.#underway(rule.name, deliver);
      }
    }
    return envelope.id;
  }

  /** EventBridge delivers at least once, in any order; the fault plan makes it do its worst. */
  #underway(rule: string, deliver: () => void): void {
    const fault = (operation: string) => this.#kit.faults.take({ service: 'events', operation, subject: rule });
    const fate = fault('Deliver')?.effect;
    if (fate === 'reset') return;
    for (let copy = 0; copy < (fate === 'double' ? 2 : 1); copy += 1) {
      const delayMs = fault('Arrive')?.delayMs ?? 0;
      if (delayMs > 0) this.#kit.clock.after(delayMs, deliver);
      else deliver();
    }
  }

  close(): void {
    this.#journal.close();
  }

  #keep(rule: Rule): void {
    this.#rules.set(rule.name, { rule, pattern: parsePattern(rule.eventPattern) });
  }
}
