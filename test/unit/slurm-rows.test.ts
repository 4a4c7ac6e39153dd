/** What Slurm 22.05 says, read back: recorded on a cluster of one node, and whatever else may come. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  mergeRows,
  parseSacct,
  parseSqueue,
  SACCT_FIELDS,
  SQUEUE_FORMAT,
  stateOf,
  whyWaiting,
} from '../../activities/launch/compute/slurm/rows.ts';

/** squeue --noheader --states=all --Format=…, blanks at the ends of fields shortened. */
const SQUEUE = `\
13  |CANCELLED  |768  |0 |1795643377 |lh-a-work-1-1-0 |None |
14  |PENDING    |0    |1 |1795643501 |lh-b-work-1-1-0 |BeginTime |
15  |NODE_FAIL  |0    |0 |1795643377 |lh-c-work-1-1-0 |NodeDown |
16  |FAILED     |9    |0 |1795643377 |lh-d-work-1-1-0 |JobLaunchFailure |
7   |FAILED     |1792 |0 |1795643361 |lh-e-work-1-1-0 |NonZeroExitCode |
2_[2-4%2] |PENDING |0 |0 |N/A |lh-f-work-1-1-0 |JobArrayTaskLimit |
2_0 |COMPLETED  |0    |0 |1795643361 |lh-f-work-1-1-0 |None |
2_1 |RUNNING    |0    |0 |1795643361 |lh-f-work-1-1-0 |None |
20  |PENDING    |0    |0 |N/A |lh-g-work-1-1-0 |Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions |
`;
const SACCT = `\
7|FAILED|7:0|1795643361|lh-e-work-1-1-0
8_0|COMPLETED|0:0|1795643361|lh-h-work-1-1-0
8_1|CANCELLED by 1000|0:0|1795643361|lh-h-work-1-1-0
13|CANCELLED by 0|0:0|1795643377|lh-a-work-1-1-0
15|NODE_FAIL|0:0|1795643377|lh-c-work-1-1-0
14|RUNNING|0:0|1795643377|lh-b-work-1-1-0
16|FAILED|0:9|1795643377|lh-d-work-1-1-0
2_[2-4]|PENDING|0:0|Unknown|lh-f-work-1-1-0
2|PENDING|0:0|Unknown|lh-f-work-1-1-0
`;

describe('squeue', () => {
  it('says what is going on and how jobs ended, with exit codes as wait(2) has them', () => {
    const rows = parseSqueue(SQUEUE);
    expect(rows).toHaveLength(9);
    expect(rows.find(({ id }) => id === '7')).toMatchObject({
      state: 'FAILED',
      exitCode: 7,
      signal: 0,
      name: 'lh-e-work-1-1-0',
    });
    expect(rows.find(({ id }) => id === '16')).toMatchObject({ exitCode: 0, signal: 9 });
    expect(rows.find(({ id }) => id === '14')).toMatchObject({ restarts: 1, reason: 'BeginTime', waiting: false });
    expect(rows.filter(({ id }) => id === '2').map(({ index, waiting }) => [index, waiting])).toEqual([
      [undefined, true],
      [0, false],
      [1, false],
    ]);
  });

  it('says why a job cannot be placed, where it is more than not its turn', () => {
    const reasons = parseSqueue(SQUEUE).flatMap((row) => whyWaiting(row) ?? []);
    expect(reasons).toEqual([expect.stringMatching(/^Nodes required for job are DOWN/)]);
  });

  it('is asked for fields wide enough for the longest names', () => {
    expect(SQUEUE_FORMAT).toContain('Name:300|');
    expect(SACCT_FIELDS.split(',').at(-1)).toBe('JobName');
  });
});

describe('sacct', () => {
  it('says how jobs ended, and who cancelled them', () => {
    const rows = parseSacct(SACCT);
    expect(rows.find(({ id }) => id === '7')).toMatchObject({ exitCode: 7, signal: 0, startedAt: 1795643361000 });
    expect(rows.find(({ id }) => id === '16')).toMatchObject({ exitCode: 0, signal: 9 });
    expect(rows.find(({ index }) => index === 1)).toMatchObject({ id: '8', state: 'CANCELLED', reason: 'by 1000' });
  });

  it('is believed for what has ended, and the controller for what has not', () => {
    const jobs = mergeRows(parseSqueue(SQUEUE), parseSacct(SACCT));
    // Accounting takes it for running; the controller has put it back into the queue.
    expect(jobs.get('14')).toMatchObject([{ state: 'PENDING' }]);
    expect(jobs.get('8')?.map(({ state }) => state)).toEqual(['COMPLETED', 'CANCELLED']);
    expect(jobs.get('2')).toHaveLength(3);
    expect(mergeRows([], parseSacct('3|RUNNING|0:0|1795643377|lh\n')).get('3')).toBeUndefined();
  });
});

describe('rows', () => {
  const id = fc.integer({ min: 1, max: 67_000_000 });
  const state = fc.constantFrom('PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'TIMEOUT', 'NODE_FAIL', 'SOMETHING_NEW');
  const name = fc.stringMatching(/^lh-[A-Za-z0-9_-]{1,200}$/);

  it('come back as they were, padded as Slurm pads', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ id, state, name, code: fc.nat(255), index: fc.option(fc.nat(9999)) })),
        (jobs) => {
          const idOf = (job: (typeof jobs)[number]) => (job.index === null ? String(job.id) : `${job.id}_${job.index}`);
          const queue = jobs.map(
            (job) =>
              `${idOf(job).padEnd(120)}|${job.state.padEnd(30)}|${job.code << 8} |0 |N/A |${job.name.padEnd(300)}|None |`,
          );
          const account = jobs.map((job) => `${idOf(job)}|${job.state}|${job.code}:0|Unknown|${job.name}`);
          for (const rows of [parseSqueue(queue.join('\n')), parseSacct(account.join('\n'))]) {
            expect(rows.map((row) => [row.id, row.index ?? null, row.state, row.exitCode, row.name])).toEqual(
              jobs.map((job) => [String(job.id), job.index, job.state, job.code, job.name]),
            );
          }
        },
      ),
    );
  });

  it('never fail, whatever is said', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        for (const row of [...parseSqueue(text), ...parseSacct(text)]) expect(row.id).toMatch(/^\d+$/);
      }),
    );
  });

  it('in a state nobody knows yet are open', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(stateOf(`X${text}`)).toEqual({ ended: false, status: 'RUNNING' });
      }),
    );
  });
});
