/**
 * The pipes and how far each has read, with their journal.
 *
 * @module
 */
import { join } from 'node:path';
import type { Kit } from '../../kit/front-door.ts';
import { type Journal, openJournal } from '../../kit/journal.ts';
import type { Place } from '../ports.ts';
import type { PipeDescription } from './input.ts';
import type { Position } from './reader.ts';

export type PipeState =
  | 'CREATING'
  | 'CREATE_FAILED'
  | 'STARTING'
  | 'START_FAILED'
  | 'RUNNING'
  | 'STOPPING'
  | 'STOPPED'
  | 'DELETING';

export interface Pipe extends PipeDescription {
  state: PipeState;
  stateReason?: string;
  /** Where to begin has been settled; from then on positions tell. */
  begun: boolean;
  /** Epoch milliseconds. */
  createdAt: number;
  modifiedAt: number;
}

type Entry =
  | { op: 'pipe'; pipe: Pipe }
  | { op: 'begin'; name: string; positions: [string, Position][] }
  | { op: 'mark'; name: string; shard: string; position?: Position }
  | { op: 'end'; name: string };

export class PipeStore {
  readonly #kit: Kit;
  readonly #place: Place;
  readonly #pipes = new Map<string, Pipe>();
  readonly #positions = new Map<string, Map<string, Position>>();
  readonly #journal: Journal<Entry>;

  constructor(options: { kit: Kit; place: Place; directory: string }) {
    this.#kit = options.kit;
    this.#place = options.place;
    this.#journal = openJournal<Entry>({
      file: join(options.directory, 'pipes.jsonl'),
      replay: (entry) => this.#apply(entry),
      snapshot: () => this.#snapshot(),
    });
  }

  find(name: string): Pipe | undefined {
    return this.#pipes.get(name);
  }

  list(): Pipe[] {
    return [...this.#pipes.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  create(description: PipeDescription): Pipe {
    const now = this.#kit.clock.now();
    return this.#put({ ...description, state: 'CREATING', begun: false, createdAt: now, modifiedAt: now });
  }

  /** A change that a person asked for also tells what is wanted. */
  change(pipe: Pipe, change: Partial<Pick<Pipe, 'desiredState' | 'state' | 'stateReason'>>): Pipe {
    const { stateReason: _, ...before } = pipe;
    const asked = change.desiredState !== undefined && { modifiedAt: this.#kit.clock.now() };
    return this.#put({ ...before, ...change, ...asked });
  }

  end(name: string): void {
    this.#write({ op: 'end', name });
  }

  /** How far a pipe has read, by shard; it changes as it is marked. */
  positions(name: string): ReadonlyMap<string, Position> {
    const known = this.#positions.get(name) ?? new Map<string, Position>();
    this.#positions.set(name, known);
    return known;
  }

  /** In one line of the journal, so that a pipe never begins at some shards only. */
  begin(name: string, positions: ReadonlyMap<string, Position>): void {
    this.#write({ op: 'begin', name, positions: [...positions] });
  }

  mark(name: string, shard: string, position: Position | undefined): void {
    this.#write({ op: 'mark', name, shard, ...(position !== undefined && { position }) });
  }

  arn(name: string): string {
    return `arn:aws:pipes:${this.#place.region}:${this.#place.accountId}:pipe/${name}`;
  }

  close(): void {
    this.#journal.close();
  }

  #put(pipe: Pipe): Pipe {
    this.#write({ op: 'pipe', pipe });
    return pipe;
  }

  #write(entry: Entry): void {
    this.#journal.append(entry);
    this.#apply(entry);
  }

  #apply(entry: Entry): void {
    if (entry.op === 'pipe') this.#pipes.set(entry.pipe.name, entry.pipe);
    else if (entry.op === 'end') {
      this.#pipes.delete(entry.name);
      this.#positions.delete(entry.name);
    } else {
      const positions = this.positions(entry.name) as Map<string, Position>;
      if (entry.op === 'mark') {
        if (entry.position === undefined) positions.delete(entry.shard);
        else positions.set(entry.shard, entry.position);
        return;
      }
      for (const [shard, position] of entry.positions) positions.set(shard, position);
      const pipe = this.#pipes.get(entry.name);
      if (pipe) this.#pipes.set(pipe.name, { ...pipe, begun: true });
    }
  }

  *#snapshot(): Iterable<Entry> {
    for (const pipe of this.#pipes.values()) {
      yield { op: 'pipe', pipe };
      if (pipe.begun) yield { op: 'begin', name: pipe.name, positions: [...this.positions(pipe.name)] };
    }
  }
}
