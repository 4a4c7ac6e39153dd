/**
 * The table `Progress` in memory, for tests of the store's own logic; the real one is held to in
 * test/contract/progress-log.test.ts.
 *
 * @module
 */
import type { StepWrite, StoredEvent } from '../../lib/progress/reckon.ts';
import type { ProgressTable, StoredHead, StoredStep } from '../../lib/store/progress-table.ts';

export interface MemoryTable extends ProgressTable {
  /** Every event that was ever written, in that order. */
  readonly written: StoredEvent[];
}

type Timed<T> = T & { expiresAt: number };

export function memoryTable(): MemoryTable {
  const written: StoredEvent[] = [];
  const runs = new Map<string, ProgressTable>();
  const of = (run: string): ProgressTable => {
    const known = runs.get(run) ?? tableOfRun(written);
    runs.set(run, known);
    return known;
  };
  return {
    written,
    head: (run) => of(run).head(run),
    write: (run, ...more) => of(run).write(run, ...more),
    events: (run, ...more) => of(run).events(run, ...more),
    steps: (run, ...more) => of(run).steps(run, ...more),
    stepNames: (run, ...more) => of(run).stepNames(run, ...more),
    renew: (run, ...more) => of(run).renew(run, ...more),
  };
}

function tableOfRun(written: StoredEvent[]): ProgressTable {
  let head: StoredHead | undefined;
  const events = new Map<number, Timed<{ event: StoredEvent }>>();
  const steps = new Map<string, StoredStep>();
  const prefix = (epoch: string, attempt: number) => `${epoch} ${attempt} `;

  function put(epoch: string, { attempt, step, seq, order }: StepWrite): void {
    const key = prefix(epoch, attempt) + step.name;
    const before = steps.get(key);
    const after = step.after ?? before?.step.after;
    steps.set(key, { step: after ? { ...step, after } : step, seq, order: before?.order ?? order });
  }

  return {
    head: async () => structuredClone(head),
    async write(_run, plan, expected, lives) {
      const is = head?.head.view;
      const was = expected?.head.view;
      if (is?.epoch !== was?.epoch || is?.seq !== was?.seq) return false;
      const keys = [
        ...plan.events.map(({ seq }) => seq),
        ...plan.drops,
        ...plan.steps.map(({ attempt, step }) => `${attempt} ${step.name}`),
      ];
      if (new Set(keys).size !== keys.length || keys.length > 99)
        throw new Error('not a transaction DynamoDB would take');
      head = structuredClone({ head: plan.head, expiresAt: lives.head });
      for (const event of plan.events) {
        events.set(event.seq, structuredClone({ event, expiresAt: lives.events }));
        written.push(structuredClone(event));
      }
      for (const seq of plan.drops) events.delete(seq);
      for (const step of plan.steps) put(plan.head.view.epoch, structuredClone(step));
      return true;
    },
    events: async (_run, after, limit, now) =>
      [...events.values()]
        .filter(({ event, expiresAt }) => event.seq > after && expiresAt > now)
        .sort((a, b) => a.event.seq - b.event.seq)
        .slice(0, limit)
        .map(({ event }) => structuredClone(event)),
    steps: async (_run, { epoch, attempt }) =>
      [...steps].filter(([key]) => key.startsWith(prefix(epoch, attempt))).map(([, step]) => structuredClone(step)),
    stepNames: async (_run, { epoch, attempt }) =>
      [...steps].filter(([key]) => key.startsWith(prefix(epoch, attempt))).map(([, { step }]) => step.name),
    renew: async () => {},
  };
}
