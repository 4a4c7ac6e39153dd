/** Sheets that become head jobs: what is refused, what is launched, and that no value gets out of its place. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { expandScript } from '../../workflows/launch/manifest.ts';
import { WORKFLOW_TYPES } from '../../workflows/launch/model.ts';
import { planLaunch } from '../../workflows/launch/plan-launch.ts';
import schema from '../../workflows/launch/sheet/sheet.schema.json' with { type: 'json' };
import type { ParameterType, Scalar, Sheet } from '../../workflows/launch/sheet/sheet.ts';

const HEAD = { image: 'engine:1', resources: { vcpus: 4, memoryMiB: 2048 } };
const sheetOf = (more: Partial<Sheet>): Sheet => ({
  apiVersion: 'longhaul/v1',
  workflowType: 'snakemake',
  consumer: 'lab-a',
  dataPath: 's3://bucket/d/',
  head: HEAD,
  ...more,
});
const plan = (more: Partial<Sheet>) =>
  planLaunch(sheetOf(more), {
    launchId: 'run-1',
    attempt: 1,
    computeService: 'batch',
    defaultResultsPath: 's3://longhaul/r/',
    discovered: {},
  });
const problems = (more: Partial<Sheet>): string[] => {
  const planned = plan(more);
  return 'problems' in planned ? planned.problems.map(({ at, message }) => `${at}: ${message}`) : [];
};
function stepOf(more: Partial<Sheet>) {
  const planned = plan(more);
  if ('problems' in planned) throw new Error(JSON.stringify(planned.problems));
  const [step] = planned.plan.steps;
  if (!step) throw new Error('no step');
  return { plan: planned.plan, step, artifacts: planned.artifacts };
}

const SNAKEFILE = { workflowEndpoint: 's3://bucket/w/Snakefile', outputs: { o: 'results/**' } };
const STEPS = { a: { image: 'i:1', command: 'true' } };

it('has the workflow types of the schema', () => {
  expect(schema.properties.workflowType.enum).toEqual([...WORKFLOW_TYPES]);
});

describe('a sheet is refused', () => {
  it.each<[string, Partial<Sheet>, RegExp]>([
    ['without a definition', { outputs: { o: 'x' } }, /^workflowEndpoint: missing; .*or give steps/],
    ['with two definitions', { ...SNAKEFILE, outputs: undefined, steps: STEPS } as never, /not both/],
    ['with steps for an engine that has its own', { workflowType: 'cwl', steps: STEPS }, /has no steps/],
    ['without outputs', { workflowEndpoint: 's3://bucket/w/Snakefile' }, /^outputs: missing/],
    [
      'with a shared file system',
      { ...SNAKEFILE, sharedFileSystem: { type: 'host', hostPath: '/x' } },
      /^sharedFileSystem/,
    ],
    ['with a scatter that nothing uses', { ...SNAKEFILE, scatter: { s: ['a'] } }, /^scatter/],
    ['with a command of another type', { ...SNAKEFILE, command: 'x' }, /^command: only workflowType command/],
    [
      'with a definition from elsewhere',
      { ...SNAKEFILE, workflowEndpoint: 'https://x/Snakefile' },
      /^workflowEndpoint/,
    ],
    [
      'with words of a shell in its definition',
      { ...SNAKEFILE, workflowEndpoint: 's3://bucket/w/$(id)' },
      /^workflowEndpoint/,
    ],
    ['with a way up in its definition', { ...SNAKEFILE, workflowEndpoint: 's3://bucket/w/../x' }, /^workflowEndpoint/],
    [
      'with a definition in an image by tag',
      { ...SNAKEFILE, workflowEndpoint: 'image:///w/Snakefile' },
      /^head.image: .*digest/,
    ],
    ['with an input that leads out', { ...SNAKEFILE, inputs: { a: '../x' } }, /^inputs\.a/],
    ['with an output that leads out', { ...SNAKEFILE, outputs: { a: '/etc/x' } }, /^outputs\.a/],
    [
      'with a template among the arguments',
      { ...SNAKEFILE, head: { ...HEAD, arguments: ['${{ parameters.x }}'] } },
      /^head\.arguments\.0/,
    ],
    [
      'with an argument that Nextflow has already',
      {
        workflowType: 'nextflow',
        workflowEndpoint: 's3://bucket/w/main.nf',
        outputs: { o: 'x' },
        head: { ...HEAD, arguments: ['-resume'] },
      },
      /^head\.arguments\.0/,
    ],
    ['with a head among durable steps', { workflowType: 'steps', steps: STEPS }, /^head: only head jobs/],
    ['without a command', { workflowType: 'command', outputs: { o: 'x' } }, /^command: missing/],
    [
      'with a value in quotes',
      { workflowType: 'command', outputs: { o: 'x' }, parameters: { a: 1 }, command: 'echo "${{ parameters.a }}"' },
      /^command: .*quotes/,
    ],
    ['with bad steps', { steps: { a: { image: 'i', command: 'x', after: ['b'] } } }, /^steps\.a\.after/],
  ])('%s', (_, more, message) => {
    expect(problems(more).join('\n')).toMatch(message);
  });
});

describe('the launch command', () => {
  it('of Snakemake', () => {
    const { step } = stepOf({
      ...SNAKEFILE,
      onFailure: 'finish',
      head: { ...HEAD, arguments: ['--config', "a=it's"] },
    });

    expect(step).toMatchObject({ name: 'snakemake', items: 1, vcpus: 4, head: { type: 'snakemake' } });
    expect(step.main).toEqual({
      kind: 'command',
      script:
        "exec snakemake --snakefile ../inputs/workflow/Snakefile --configfile ../inputs/made/config.yaml --cores 4 --resources memory_mib=${{ resources.memoryMiB }} --rerun-incomplete --nolock --nocolor --keep-going --config 'a=it'\\''s'",
    });
  });

  it('of cwltool leaves containers away only where no runtime is named', () => {
    const cwl = (args: string[]) =>
      stepOf({
        workflowType: 'cwl',
        workflowEndpoint: 's3://bucket/w/a.cwl',
        outputs: { o: 'x' },
        head: { ...HEAD, arguments: args },
      }).step.main;

    expect(JSON.stringify(cwl([]))).toContain('--no-container');
    expect(JSON.stringify(cwl(['--singularity']))).not.toContain('--no-container');
  });

  it('holds no value of the sheet: parameters go into a file', () => {
    const hostile = '$(touch hurt) `x` ${{ inputs.a }} \'"\n';
    for (const [workflowType, workflowEndpoint] of [
      ['snakemake', 's3://bucket/w/Snakefile'],
      ['nextflow', 's3://bucket/w/main.nf'],
      ['cwl', 's3://bucket/w/a.cwl'],
      ['wdl', 's3://bucket/w/a.wdl'],
    ] as const) {
      const { step, artifacts } = stepOf({
        workflowType,
        workflowEndpoint,
        outputs: { o: 'x' },
        parameters: { hostile },
      });
      expect(JSON.stringify(step), workflowType).not.toContain('hurt');
      expect(
        artifacts?.({ inputs: {}, patterns: {} })
          .map(({ text }) => text)
          .join(''),
      ).toContain('touch hurt');
    }
  });

  it('of a definition in an image names it there', () => {
    const image = `x/y@sha256:${'a'.repeat(64)}`;
    const { step } = stepOf({ ...SNAKEFILE, workflowEndpoint: 'image:///w/Snakefile', head: { ...HEAD, image } });

    expect(JSON.stringify(step.main)).toContain('--snakefile /w/Snakefile');
    expect(step.inputs.map(({ name }) => name)).toEqual(['data']);
  });
});

it('steps made into a Snakefile keep their outputs under names of their own', () => {
  const { step } = stepOf({
    scatter: { sample: ['a', 'b'] },
    steps: {
      align: {
        image: 'i:1',
        scatter: ['sample'],
        command: 'x',
        inputs: { r: 'reads/${{ sample }}.fq' },
        outputs: { bam: '${{ sample }}.bam', parts: '*.part' },
      },
      all: { image: 'i:1', command: 'x', outputs: { o: 'o.txt' } },
    },
  });

  expect(step.outputs).toEqual([
    { name: 'align.bam', path: 'align/*/*.bam' },
    { name: 'align.parts', path: 'align/*/parts.files/**' },
    { name: 'all.o', path: 'all/all/o.txt' },
  ]);
  expect(step.inputs).toEqual([
    {
      name: 'data',
      kind: 'tree',
      files: ['a', 'b'].map((s) => ({ path: `reads/${s}.fq`, wildcard: false, at: 'steps.align.inputs.r' })),
    },
  ]);
});

describe('parameters of a command', () => {
  const command = (parameters: Record<string, Scalar>, parameterTypes: Record<string, ParameterType> = {}) => ({
    workflowType: 'command' as const,
    outputs: { o: 'o' },
    parameters,
    parameterTypes,
    command: `printf '%s\\0' ${Object.keys(parameters)
      .map((name) => `\${{ parameters.${name} }}`)
      .join(' ')}`,
  });

  it('are single words to the shell, whatever is in them', () => {
    const work = mkdtempSync(join(tmpdir(), 'longhaul-command-'));
    onTestFinished(() => rmSync(work, { recursive: true }));
    mkdirSync(join(work, 'outputs'));
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 4 }), (values) => {
        const words = values.map((value) => value.replaceAll('\0', ''));
        const parameters = Object.fromEntries(words.map((word, nth) => [`p${nth}`, word]));
        const { plan: planned, step } = stepOf(command(parameters));
        if (step.main.kind !== 'command') throw new Error('no command');
        const script = expandScript(planned, step, { key: 'all', values: {} }, {}, step.main.script);
        const out = execFileSync('/bin/sh', ['-c', script], { env: { LONGHAUL_WORK: work, PATH: '/usr/bin:/bin' } });
        expect(out.toString('utf8')).toBe(Buffer.from(words.map((word) => `${word}\0`).join('')).toString('utf8'));
      }),
      { numRuns: 60 },
    );
  });

  it.each<[ParameterType, Scalar[], Scalar[]]>([
    [{ type: 'integer', minimum: 1, maximum: 3 }, [1, 3], [0, 4, 1.5, '1', true]],
    [{ type: 'number', maximum: 1 }, [0.5], [2, '0.5']],
    [{ type: 'boolean' }, [true], ['true', 1]],
    [{ type: 'string', enum: ['a', 'b'] }, ['a'], ['c', '']],
    [{ type: 'string', maxLength: 2 }, ['ab'], ['abc']],
    [{ type: 'string', pattern: '[a-z]+\\d?' }, ['abc', 'a1'], ['a b', 'abc\n', 'a12', '--x', 'x'.repeat(300)]],
  ])('of %j', (type, good, bad) => {
    for (const value of good) expect(problems(command({ p: value }, { p: type })), String(value)).toEqual([]);
    for (const value of bad) {
      const [problem = ''] = problems(command({ p: value }, { p: type }));
      expect(problem, String(value)).toMatch(/^parameters\.p: expected .*not shown here/);
    }
  });

  it('that are not there are named', () => {
    expect(problems(command({ q: 1 }, { p: { type: 'integer' } }))).toEqual([
      'parameters.p: missing; integer is required',
    ]);
  });

  it.each(['(a+)+', 'a|b', '[a', '\\1', 'a*a*a*a*', '(?=a)', ''])('refuse the pattern %j', (pattern) => {
    expect(problems(command({ p: 'a' }, { p: { type: 'string', pattern } })).join()).toMatch(
      /parameterTypes\.p\.pattern/,
    );
  });
});
