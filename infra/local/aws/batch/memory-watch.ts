/**
 * Holds containers to their memory limit: one sampler for all of them, running only while there are any.
 *
 * @module
 */
import { LINUX, listByPs, listPids, type ProcessRow, proportionalBytes, readProcess } from './process-table.ts';

const SAMPLE_MS = 30;
/** Sampling takes at most this share of the time, however many processes there are. */
const LARGEST_SHARE = 0.1;
/** Foreign processes are not looked at again for so long; their pids may be given out anew. */
const FOREIGN_MS = 1000;

interface Watched {
  leader: number;
  limitBytes: number | undefined;
  /** pid -> start time: who once belonged still does after its parent died or it left the group. */
  members: Map<number, string>;
  onOver(): void;
}

export interface Watch {
  /** Ends the watch; returns the pids seen outside the process group. */
  end(): number[];
}

export class MemoryWatch {
  readonly #watched = new Set<Watched>();
  #foreign = new Set<number>();
  #foreignSince = 0;
  #sampling = false;

  /** @param onOver called once, when the container's processes together hold more than the limit */
  add(leader: number, limitBytes: number | undefined, onOver: () => void): Watch {
    const watched: Watched = { leader, limitBytes, members: new Map(), onOver };
    this.#watched.add(watched);
    this.#foreign.delete(leader);
    if (!this.#sampling) this.#sampleIn(SAMPLE_MS);
    return {
      end: () => {
        this.#watched.delete(watched);
        return [...watched.members.keys()].filter((pid) => pid !== leader);
      },
    };
  }

  async #sample(): Promise<void> {
    const started = performance.now();
    let rows: ProcessRow[] = [];
    try {
      rows = LINUX ? this.#readProc() : await listByPs();
    } catch (error) {
      console.error('sampling the memory of jobs failed', error);
    }
    for (const watched of this.#watched) this.#judge(watched, rows);
    const cost = performance.now() - started;
    if (this.#watched.size === 0) this.#sampling = false;
    else this.#sampleIn(Math.max(SAMPLE_MS, cost / LARGEST_SHARE));
  }

  #sampleIn(delayMs: number): void {
    this.#sampling = true;
    setTimeout(() => void this.#sample(), delayMs).unref();
  }

  #readProc(): ProcessRow[] {
    const now = performance.now();
    if (now - this.#foreignSince > FOREIGN_MS) {
      this.#foreign = new Set();
      this.#foreignSince = now;
    }
    const rows: ProcessRow[] = [];
    for (const pid of listPids()) {
      if (this.#foreign.has(pid)) continue;
      const row = readProcess(pid);
      if (row) rows.push(row);
    }
    const ours = new Set<number>();
    for (const watched of this.#watched) for (const row of membersOf(watched, rows)) ours.add(row.pid);
    for (const { pid } of rows) if (!ours.has(pid)) this.#foreign.add(pid);
    return rows;
  }

  #judge(watched: Watched, rows: readonly ProcessRow[]): void {
    const members = membersOf(watched, rows);
    watched.members = new Map(members.map((row) => [row.pid, row.startedAt]));
    const limit = watched.limitBytes;
    if (limit === undefined || sum(members, (row) => row.rssBytes) <= limit) return;
    // Forked processes share pages: only what each holds in proportion counts, which is dear to read.
    if (LINUX && members.length > 1 && sum(members, (row) => proportionalBytes(row.pid) ?? row.rssBytes) <= limit)
      return;
    this.#watched.delete(watched);
    watched.onOver();
  }
}

function membersOf(watched: Watched, rows: readonly ProcessRow[]): ProcessRow[] {
  const members = new Map<number, ProcessRow>();
  let grew = true;
  while (grew) {
    grew = false;
    for (const row of rows) {
      if (members.has(row.pid)) continue;
      const belongs =
        row.group === watched.leader ||
        row.session === watched.leader ||
        members.has(row.parent) ||
        watched.members.get(row.pid) === row.startedAt;
      if (belongs) {
        members.set(row.pid, row);
        grew = true;
      }
    }
  }
  return [...members.values()];
}

function sum(rows: readonly ProcessRow[], of: (row: ProcessRow) => number): number {
  return rows.reduce((total, row) => total + of(row), 0);
}
