/** From the jobs of a Snakefile to durable steps: what goes together, what stays apart, what is refused. */
import { describe, expect, it } from 'vitest';
import { type DagJob, fromSnakemake, ImportError } from '../../clients/launch/import/from-snakemake.ts';
import { itemsOf } from '../../workflows/launch/plan.ts';
import type { StepsSheet } from '../../workflows/launch/sheet/sheet.ts';
import { planOf } from '../support/sheets.ts';

const OPTIONS = { consumer: 'lab-a', dataPath: 's3://bucket/d/', image: 'tools:1' };
let ids = 0;
function job(
  rule: string,
  more: Partial<Omit<DagJob, 'inputs' | 'outputs'>> & { in?: string[]; out?: string[] } = {},
): DagJob {
  const { in: inputs = [], out: outputs = [], ...rest } = more;
  const file = (path: string) => ({ path, flags: [], folder: false });
  ids += 1;
  return {
    id: ids,
    rule,
    wildcards: {},
    shell: `run ${rule}`,
    log: [],
    from: {},
    threads: 1,
    resources: {},
    retries: 0,
    container: null,
    cannot: [],
    ...rest,
    inputs: inputs.map(file),
    outputs: outputs.map(file),
  };
}
/** Says of every input which job makes it. */
function dag(...jobs: DagJob[]): DagJob[] {
  const maker = new Map(jobs.flatMap(({ id, outputs }) => outputs.map(({ path }) => [path, id] as const)));
  return jobs.map((one) => ({
    ...one,
    from: Object.fromEntries(one.inputs.flatMap(({ path }) => (maker.has(path) ? [[path, maker.get(path) ?? 0]] : []))),
  }));
}
const samples = (rule: string, make: (s: string) => Parameters<typeof job>[1], names = ['a', 'b']) =>
  names.map((s) => job(rule, { wildcards: { s }, shell: `run ${rule} ${s}`, ...make(s) }));
const items = (sheet: StepsSheet) =>
  Object.fromEntries(
    planOf(sheet).steps.map((step) => [step.name, itemsOf(planOf(sheet), step).map(({ key }) => key)]),
  );

describe('jobs of a rule', () => {
  it('that one wildcard tells apart become one scattered step, and find their own of another', () => {
    const sheet = fromSnakemake(
      dag(
        ...samples('align', (s) => ({ in: [`reads/${s}.fq`], out: [`bam/${s}.bam`] })),
        ...samples('call', (s) => ({ in: [`bam/${s}.bam`], out: [`vcf/${s}.vcf`] })),
        job('merge', { in: ['vcf/a.vcf', 'vcf/b.vcf'], out: ['all.vcf'] }),
      ),
      OPTIONS,
    );

    expect(items(sheet)).toEqual({ align: ['a', 'b'], call: ['a', 'b'], merge: ['all'] });
    expect(sheet.steps.call?.inputs).toEqual({ in0: { from: 'align.out0' } });
    expect(sheet.steps.merge?.inputs).toEqual({ in0: { from: 'call.out0', gather: true } });
    expect(sheet.scatter?.s).toMatchObject([
      { name: 'a', align_command: 'set -euo pipefail; run align a', align_in0: 'reads/a.fq', align_out0: 'bam/a.bam' },
      { name: 'b' },
    ]);
  });

  it.each([
    ['have two wildcards', dag(...['x', 'y'].map((h) => job('r', { wildcards: { s: 'a', h }, out: [`${h}.txt`] })))],
    [
      'have names no item can have',
      dag(...samples('r', (s) => ({ out: [`o/${s.replace('/', '-')}`] }), ['x/a', 'x/b'])),
    ],
    ['ask for different resources', dag(...samples('r', (s) => ({ out: [s], threads: s === 'a' ? 1 : 2 })))],
  ])('that %s become a step each', (_, jobs) => {
    expect(Object.keys(fromSnakemake(jobs, OPTIONS).steps)).toEqual(['r_0', 'r_1']);
  });

  it('of which a taker wants only some are taken apart, and all that hang on them', () => {
    const sheet = fromSnakemake(
      dag(
        ...samples('make', (s) => ({ out: [`m/${s}`] }), ['a', 'b', 'c']),
        job('some', { in: ['m/a', 'm/b'], out: ['some.txt'] }),
      ),
      OPTIONS,
    );

    expect(Object.keys(sheet.steps)).toEqual(['make_0', 'make_1', 'make_2', 'some']);
    expect(sheet.steps.some?.inputs).toEqual({ in0: { from: 'make_0.out0' }, in1: { from: 'make_1.out0' } });
    expect(planOf(sheet).steps.at(-1)?.after).toEqual(['make_0', 'make_1']);
  });

  it('over other values of the same wildcard have a dimension of their own', () => {
    const sheet = fromSnakemake(
      dag(...samples('one', (s) => ({ out: [`1/${s}`] })), ...samples('two', (s) => ({ out: [`2/${s}`] }), ['b', 'c'])),
      OPTIONS,
    );

    expect(items(sheet)).toEqual({ one: ['a', 'b'], two: ['b', 'c'] });
  });
});

it('a command that looks like a template becomes the value of a parameter', () => {
  const sheet = fromSnakemake(dag(job('r', { shell: "echo '${{ x }}' > o", out: ['o'] })), OPTIONS);

  expect(sheet.parameters).toEqual({ r_command: "set -euo pipefail; echo '${{ x }}' > o" });
  expect(planOf(sheet).steps).toHaveLength(1);
});

it('takes over threads, memory, retries and containers', () => {
  const sheet = fromSnakemake(
    dag(job('r', { out: ['o'], threads: 4, resources: { mem_mb: 1000 }, retries: 2, container: 'docker://x/y:1' })),
    OPTIONS,
  );

  expect(sheet.steps.r).toMatchObject({ image: 'x/y:1', retries: 2, resources: { vcpus: 4, memoryMiB: 954 } });
});

describe('what is refused', () => {
  it.each([
    ['its own reason', job('r', { cannot: ['script: only shell commands can be taken over'] }), /rule r: script/],
    ['no shell command', job('r', { shell: null, out: ['o'] }), /rule r: has no shell command/],
    ['an input outside', job('r', { in: ['/etc/passwd'], out: ['o'] }), /inputs lie below the working folder/],
    ['an input above', job('r', { in: ['../x'], out: ['o'] }), /inputs lie below the working folder/],
    ['an output with a star', job('r', { out: ['*.txt'] }), /names of outputs/],
  ])('by %s', (_, bad, message) => {
    expect(() => fromSnakemake(dag(bad), OPTIONS)).toThrow(message);
    expect(() => fromSnakemake(dag(bad), OPTIONS)).toThrow(ImportError);
  });

  it('when nothing has to run', () => {
    expect(() => fromSnakemake([], OPTIONS)).toThrow('no job has to run');
  });

  it('with more steps than a launch has', () => {
    const jobs = Array.from({ length: 1_001 }, (_, n) =>
      job('r', { wildcards: { a: `${n}`, b: `${n}` }, out: [`${n}`] }),
    );
    expect(() => fromSnakemake(dag(...jobs), OPTIONS)).toThrow(/1001 steps, at most 1000.*workflowType: snakemake/);
  });
});
