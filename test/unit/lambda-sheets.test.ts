/** The example sheets are read and planned as they are published, and their commands are what a shell should get. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { manifestRow, type Sources } from '../../workflows/launch/manifest.ts';
import { itemsOf, type Plan } from '../../workflows/launch/plan.ts';
import { planLaunch } from '../../workflows/launch/plan-launch.ts';
import { parseSheet } from '../../workflows/launch/sheet/parse.ts';

const SAMPLES = ['sample-1', 'sample-2', 'sample-3'];

function planOf(name: string, discovered: Record<string, string[]> = {}): Plan {
  const file = new URL(`../../examples/lambda/${name}`, import.meta.url);
  const { sheet } = parseSheet(readFileSync(file, 'utf8'), name);
  const planned = planLaunch(sheet, {
    launchId: 'run-1',
    attempt: 1,
    computeService: 'batch',
    defaultResultsPath: 's3://longhaul/results/demo/',
    discovered,
  });
  if ('problems' in planned) throw new Error(JSON.stringify(planned.problems));
  return planned.plan;
}

/** The script of an item's job, every input being one file of the given name, or a list of them. */
function scriptOf(plan: Plan, stepName: string, itemKey: string, files: Record<string, string[]>): string {
  const step = plan.steps.find(({ name }) => name === stepName);
  if (!step) throw new Error(`no step ${stepName}`);
  const item = itemsOf(plan, step).find(({ key }) => key === itemKey);
  if (!item) throw new Error(`no item ${itemKey}`);
  const sources: Sources = Object.fromEntries(
    Object.entries(files).map(([input, names]) => [input, names.map((name) => ({ from: `s3://b/${name}`, name }))]),
  );
  return (
    manifestRow(plan, step, item, sources, {
      launchState: 's3://longhaul/state/',
      attempt: 1,
      generation: 1,
      key: 'k1',
    }).script ?? ''
  );
}

describe('sheet.yaml', () => {
  it('is planned as four steps, two of them once for each sample found', () => {
    const plan = planOf('sheet.yaml', { sample: SAMPLES });

    const outline = plan.steps.map(({ name, after, items }) => ({ name, after, items }));
    expect(outline).toEqual([
      { name: 'align', after: [], items: 3 },
      { name: 'call', after: ['align'], items: 3 },
      { name: 'merge', after: ['call'], items: 1 },
      { name: 'compare', after: ['merge'], items: 1 },
    ]);
    expect(plan).toMatchObject({ dataPath: 's3://longhaul/data/lambda/', consumer: 'demo' });
  });

  it('leaves its launch id to whoever launches it', () => {
    expect(planOf('sheet.yaml', { sample: SAMPLES }).launchId).toBe('run-1');
  });

  it('aligns each sample with a command of its own', () => {
    const plan = planOf('sheet.yaml', { sample: SAMPLES });

    const script = scriptOf(plan, 'align', 'sample-2', {
      script: ['align.py'],
      reference: ['lambda_virus.fa.gz'],
      reads1: ['sample-2_1.fq.gz'],
      reads2: ['sample-2_2.fq.gz'],
    });

    expect(script.replace(/ \\\n\s+/g, ' ')).toBe(
      [
        'set -eu',
        'cd "$LONGHAUL_WORK/outputs"',
        [
          'python3 "$LONGHAUL_WORK"/inputs/script/align.py',
          '--reference "$LONGHAUL_WORK"/inputs/reference/lambda_virus.fa.gz',
          '--sample sample-2',
          '--reads "$LONGHAUL_WORK"/inputs/reads1/sample-2_1.fq.gz "$LONGHAUL_WORK"/inputs/reads2/sample-2_2.fq.gz',
          '--max-insert 1000',
          '--out "$LONGHAUL_WORK"/outputs/sample-2.bam',
        ].join(' '),
        '',
        '',
      ].join('\n'),
    );
  });

  it('merges the calls of all samples in one command', () => {
    const plan = planOf('sheet.yaml', { sample: SAMPLES });

    const script = scriptOf(plan, 'merge', 'all', {
      script: ['merge.py'],
      calls: SAMPLES.map((sample) => `${sample}.vcf.gz`),
    });

    const calls = SAMPLES.map((sample) => `"$LONGHAUL_WORK"/inputs/calls/${sample}.vcf.gz`).join(' ');
    expect(script).toContain(`--out "$LONGHAUL_WORK"/outputs/cohort.vcf.gz ${calls}\n`);
  });
});

describe('bowtie2.yaml', () => {
  it('runs the align and call steps of sheet.yaml', () => {
    const own = planOf('sheet.yaml', { sample: SAMPLES });

    const plan = planOf('bowtie2.yaml');

    expect(plan.steps.map(({ name, items }) => ({ name, items }))).toEqual([
      { name: 'align', items: 1 },
      { name: 'call', items: 1 },
    ]);
    for (const step of plan.steps) {
      const same = own.steps.find(({ name }) => name === step.name);
      expect({ main: step.main, outputs: step.outputs, memoryMiB: step.memoryMiB }).toEqual({
        main: same?.main,
        outputs: same?.outputs,
        memoryMiB: same?.memoryMiB,
      });
    }
  });
});
