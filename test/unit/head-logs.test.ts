/** What is read out of the engines' logs, as recorded from them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { HeadType } from '../../workflows/launch/model.ts';
import { pluginOf } from '../../workflows/launch/types/index.ts';

const read = (type: HeadType, text: string) => {
  const parser = pluginOf(type).parser();
  for (const line of text.split('\n')) parser.read(line);
  return parser.picture();
};
const recorded = (name: string) => readFileSync(join(import.meta.dirname, '../logs', `${name}.txt`), 'utf8');
const counts = (tasks: ReturnType<typeof read>['tasks']) =>
  tasks.map(({ name, total, running, succeeded, failed }) => [name, total, running, succeeded, failed]);

describe('Snakemake', () => {
  it('one of three jobs failed, the gather never ran', () => {
    const { tasks, failures, problem } = read('snakemake', recorded('snakemake-failed'));

    expect(counts(tasks)).toEqual([
      ['one', 3, 0, 2, 1],
      ['gather', 1, 0, 0, 0],
    ]);
    expect(failures).toEqual([
      { task: 'one', item: 's=b', exitCode: 3, message: expect.stringContaining('Error in rule one:') },
    ]);
    expect(problem).toBeUndefined();
  });

  it('while it runs, and when a job has been tried again', () => {
    const text = recorded('snakemake-failed');
    const [before = ''] = text.split('Finished jobid: 4');
    expect(counts(read('snakemake', before).tasks)).toEqual([
      ['one', 3, 2, 0, 0],
      ['gather', 1, 0, 0, 0],
    ]);
    const again = `${text.split('Exiting because')[0]}Trying to restart job 3.\nlocalrule one:\n    output: one/b.txt\n    jobid: 3\n    wildcards: s=b\nFinished jobid: 3 (Rule: one)\n`;
    expect(read('snakemake', again)).toMatchObject({ failures: [], tasks: [{ succeeded: 3, failed: 0 }, {}] });
  });

  it('that killed a job tells 137', () => {
    const text = recorded('snakemake-failed').replace(
      'returned non-zero exit status 3.',
      'died with <Signals.SIGKILL: 9>.',
    );
    expect(read('snakemake', text).failures[0]?.exitCode).toBe(137);
  });
});

describe('cwltool', () => {
  it('a scatter was done, a job failed with its last words', () => {
    const { tasks, failures } = read('cwl', recorded('cwltool-failed'));

    expect(counts(tasks)).toEqual([
      ['count', 2, 0, 2, 0],
      ['sum', 1, 0, 0, 1],
    ]);
    expect(failures).toEqual([
      { task: 'sum', item: '', exitCode: 7, message: expect.stringMatching(/^sum permanentFail\n[\s\S]*\nit broke$/) },
    ]);
  });

  it('what was cached is done', () => {
    expect(counts(read('cwl', recorded('cwltool-cached')).tasks)).toEqual([
      ['count', 2, 0, 2, 0],
      ['sum', 1, 0, 1, 0],
    ]);
  });
});

describe('miniwdl', () => {
  it('a scatter was done, a call failed', () => {
    const { tasks, failures } = read('wdl', recorded('miniwdl-failed'));

    expect(counts(tasks)).toEqual([
      ['count', 2, 0, 2, 0],
      ['sum', 1, 0, 0, 1],
    ]);
    expect(failures).toMatchObject([{ task: 'sum', item: 'call-sum', exitCode: 5 }]);
  });
});

describe('Nextflow', () => {
  it('a task failed: code, command and last words', () => {
    const { tasks, failures, problem } = read('nextflow', recorded('nextflow-failed'));

    expect(counts(tasks)).toEqual([['COUNT', 2, 0, 1, 1]]);
    expect(failures).toEqual([{ task: 'COUNT', item: 'y', exitCode: 7, message: expect.stringContaining('it broke') }]);
    expect(problem).toBeUndefined();
  });

  it('cached tasks are done, and the trace that is shown twice counts once', () => {
    expect(counts(read('nextflow', recorded('nextflow-cached')).tasks)).toEqual([
      ['COUNT', 2, 0, 2, 0],
      ['SUM', 1, 0, 1, 0],
    ]);
  });
});

it.each(['snakemake', 'nextflow', 'cwl', 'wdl', 'command'] as const)('%s: any text is survived', (type) => {
  const noise = [
    ...recorded('snakemake-failed').split('\n'),
    ...recorded('cwltool-failed').split('\n'),
    '',
    '\u0000',
    '\uD800',
    'ERROR',
    '[job ]',
    'trace \t\t',
  ];
  const picture = read(type, noise.toReversed().join('\n'));
  for (const { total, running, succeeded, failed } of picture.tasks)
    for (const count of [total, running, succeeded, failed]) expect(count).toBeGreaterThanOrEqual(0);
});
