/**
 * What squeue and sacct say, as rows. Pure; by Slurm 22.05 and later.
 *
 * @module
 */

/** One job, one child of an array, or the children of one that have not begun. */
export interface SlurmRow {
  /** Of the job, or the array. */
  id: string;
  /** Of a child; absent of a single job, and of children that have not begun. */
  index?: number;
  /** Children of an array that have not begun. */
  waiting: boolean;
  name: string;
  /** `RUNNING`; what follows in sacct's `CANCELLED by 1000` stands in `reason`. */
  state: string;
  exitCode: number;
  /** By which it was killed; 0: none. */
  signal: number;
  restarts: number;
  /** Milliseconds since the epoch. */
  startedAt?: number;
  /** Slurm's own word, such as `Resources`. */
  reason: string;
}

/** Slurm pads each field to its width; longer ones are cut, so the widths are generous. */
const SQUEUE_FIELDS = [
  'JobArrayID:120',
  'State:30',
  'exit_code:12',
  'RestartCnt:12',
  'StartTime:30',
  'Name:300',
  'Reason:300',
];
export const SQUEUE_FORMAT = SQUEUE_FIELDS.map((field) => `${field}|`).join(',');
export const SACCT_FIELDS = 'JobID,State,ExitCode,Start,JobName';

/** By {@link SQUEUE_FORMAT}. */
export function parseSqueue(text: string): SlurmRow[] {
  return lines(text).flatMap((line) => {
    const [id, state, status, restarts, start, name, reason] = line.split('|').map((field) => field.trim());
    const place = parseId(id ?? '');
    if (!place || !state) return [];
    // The status as wait(2) has it.
    const waited = Number(status) || 0;
    const said = reason === 'None' ? '' : (reason ?? '');
    return [
      {
        ...place,
        name: name ?? '',
        state,
        exitCode: waited >> 8,
        signal: waited & 0x7f,
        restarts: Number(restarts) || 0,
        ...started(start),
        reason: said,
      },
    ];
  });
}

/** By {@link SACCT_FIELDS}, with --parsable2 and -X. */
export function parseSacct(text: string): SlurmRow[] {
  return lines(text).flatMap((line) => {
    const [id = '', said = '', exit = '', start, ...name] = line.split('|');
    const place = parseId(id);
    const [state = '', ...more] = said.split(' ');
    if (!place || state === '') return [];
    const [exitCode, signal] = exit.split(':').map((part) => Number(part) || 0);
    return [
      {
        ...place,
        name: name.join('|'),
        state,
        exitCode: exitCode ?? 0,
        signal: signal ?? 0,
        restarts: 0,
        ...started(start),
        reason: more.join(' '),
      },
    ];
  });
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line.trim() !== '');

/** `12`, `12_3`, `12_[4-9%2]`; undefined for steps and what else there may be. */
function parseId(text: string): Pick<SlurmRow, 'id' | 'index' | 'waiting'> | undefined {
  const [, id, index, waiting] = /^(\d+)(?:_(?:(\d+)|(\[.*)))?$/.exec(text) ?? [];
  if (id === undefined) return undefined;
  return { id, ...(index !== undefined && { index: Number(index) }), waiting: waiting !== undefined };
}

function started(text: string | undefined): Pick<SlurmRow, 'startedAt'> {
  const seconds = Number(text);
  return seconds > 0 ? { startedAt: seconds * 1000 } : {};
}

/**
 * The controller knows what is going on, and for some minutes how jobs ended; accounting knows what ended, later.
 * @returns by id
 */
export function mergeRows(queued: readonly SlurmRow[], accounted: readonly SlurmRow[]): Map<string, SlurmRow[]> {
  const jobs = new Map<string, Map<string, SlurmRow>>();
  const add = (row: SlurmRow) => {
    const rows = jobs.get(row.id) ?? new Map<string, SlurmRow>();
    jobs.set(row.id, rows.set(row.waiting ? 'waiting' : String(row.index ?? ''), row));
  };
  // What accounting takes for running and the controller does not know is running no more.
  for (const row of accounted) if (!row.waiting && stateOf(row.state).ended) add(row);
  for (const row of queued) add(row);
  // Accounting also has an array as one job, until it has heard of its last child.
  for (const rows of jobs.values()) if (rows.size > 1) rows.delete('');
  return new Map([...jobs].map(([id, rows]) => [id, [...rows.values()]]));
}

type Standing =
  | { ended: false; status: 'RUNNABLE' | 'STARTING' | 'RUNNING' }
  | { ended: true; status: 'SUCCEEDED' | 'FAILED' };

/** By the page "Job State Codes" of squeue and sacct. */
const STATES: Readonly<Record<string, Standing>> = {
  PENDING: { ended: false, status: 'RUNNABLE' },
  REQUEUED: { ended: false, status: 'RUNNABLE' },
  REQUEUE_FED: { ended: false, status: 'RUNNABLE' },
  REQUEUE_HOLD: { ended: false, status: 'RUNNABLE' },
  RESV_DEL_HOLD: { ended: false, status: 'RUNNABLE' },
  CONFIGURING: { ended: false, status: 'STARTING' },
  RUNNING: { ended: false, status: 'RUNNING' },
  COMPLETING: { ended: false, status: 'RUNNING' },
  STAGE_OUT: { ended: false, status: 'RUNNING' },
  SIGNALING: { ended: false, status: 'RUNNING' },
  RESIZING: { ended: false, status: 'RUNNING' },
  SUSPENDED: { ended: false, status: 'RUNNING' },
  STOPPED: { ended: false, status: 'RUNNING' },
  COMPLETED: { ended: true, status: 'SUCCEEDED' },
  FAILED: { ended: true, status: 'FAILED' },
  OUT_OF_MEMORY: { ended: true, status: 'FAILED' },
  TIMEOUT: { ended: true, status: 'FAILED' },
  NODE_FAIL: { ended: true, status: 'FAILED' },
  BOOT_FAIL: { ended: true, status: 'FAILED' },
  PREEMPTED: { ended: true, status: 'FAILED' },
  DEADLINE: { ended: true, status: 'FAILED' },
  CANCELLED: { ended: true, status: 'FAILED' },
  SPECIAL_EXIT: { ended: true, status: 'FAILED' },
  REVOKED: { ended: true, status: 'FAILED' },
};

/** A state that is not known counts as running: it will become another. */
export const stateOf = (state: string): Standing =>
  (Object.hasOwn(STATES, state) ? STATES[state] : undefined) ?? { ended: false, status: 'RUNNING' };

/** Reasons of jobs that merely wait for their turn. */
const TURNS = new Set([
  '',
  'None',
  'Resources',
  'Priority',
  'BeginTime',
  'JobArrayTaskLimit',
  'Cleaning',
  'Prolog',
  'WaitingForScheduling',
]);

/** @returns what keeps a job from being placed; undefined where it is only not its turn */
export const whyWaiting = (row: SlurmRow): string | undefined =>
  stateOf(row.state).status === 'RUNNABLE' && !TURNS.has(row.reason) ? row.reason : undefined;
