/**
 * The manifest: rows of one width that parse back, and what each row tells its job to fetch and to keep.
 *
 * @module
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeManifest,
  expandArgv,
  expandEnvironment,
  expandPath,
  type ManifestRow,
  manifestRow,
  type Sources,
  WORK_PATH,
} from '../../workflows/launch/manifest.ts';
import { itemsOf, type Plan, type PlannedStep } from '../../workflows/launch/plan.ts';
import type { Sheet, SheetStep } from '../../workflows/launch/sheet/sheet.ts';
import { planOf, sheetOf } from '../support/sheets.ts';

const PLACE = { launchState: 's3://longhaul/launches/run-1/', attempt: 1, generation: 2, key: 'k1' };

const rowArbitrary: fc.Arbitrary<ManifestRow> = fc.record({
  item: fc.string({ unit: 'binary' }),
  key: fc.constant('k1'),
  inputs: fc.array(fc.record({ from: fc.string({ unit: 'grapheme' }), path: fc.string({ unit: 'binary' }) })),
  outputs: fc.array(fc.record({ name: fc.string(), path: fc.string({ unit: 'grapheme' }) })),
  script: fc.string({ unit: 'grapheme', maxLength: 200 }),
  results: fc.constant('s3://out/é/'),
  claim: fc.string(),
  commit: fc.string(),
  starts: fc.string(),
});

describe('the encoded manifest', () => {
  it('has rows of one width in bytes, and the range of a row is that row', () => {
    fc.assert(
      fc.property(fc.array(rowArbitrary, { minLength: 1, maxLength: 12 }), (rows) => {
        const { rowBytes, text } = encodeManifest(rows);
        const stored = Buffer.from(text, 'utf8');
        expect(stored.length).toBe(rowBytes * rows.length);
        for (const [index, row] of rows.entries()) {
          const range = stored.subarray(index * rowBytes, (index + 1) * rowBytes).toString('utf8');
          expect(range.endsWith('\n')).toBe(true);
          expect(range.slice(0, -1)).not.toContain('\n');
          expect(JSON.parse(range)).toEqual(row);
        }
      }),
    );
  });

  it('is no wider than its widest row', () => {
    const row = (item: string) => ({ item }) as ManifestRow;
    const { rowBytes } = encodeManifest([row('a'), row('日本'), row('bb')]);
    expect(rowBytes).toBe(Buffer.byteLength('{"item":"日本"}\n'));
  });
});

it('fills in the variables of a step', () => {
  const { plan, step } = single(
    { command: 'run', environment: { Q: 'at least ${{ parameters.q }}', WHO: '${{ launch.consumer }}', PLAIN: 'x' } },
    { parameters: { q: 20 } },
  );
  expect(expandEnvironment(plan, step)).toEqual({ Q: 'at least 20', WHO: plan.consumer, PLAIN: 'x' });
});

/** Plan and step of a sheet with one step `work` besides others. */
function single(step: Partial<SheetStep>, more: Partial<Sheet> = {}): { plan: Plan; step: PlannedStep } {
  const plan = planOf(sheetOf({ work: { image: 'i', ...step } }, more));
  return { plan, step: plan.steps[0] as PlannedStep };
}

function rowOf(plan: Plan, step: PlannedStep, sources: Sources = {}, index = 0): ManifestRow {
  const item = itemsOf(plan, step)[index];
  if (!item) throw new Error(`no item ${index}`);
  return manifestRow(plan, step, item, sources, PLACE);
}

describe('a row', () => {
  it('says where results, claim, commit and starts of its item lie', () => {
    const { plan, step } = single({ command: 'run', scatter: ['sample'] }, { scatter: { sample: ['a', 'b'] } });
    expect(rowOf(plan, step, {}, 1)).toMatchObject({
      item: 'b',
      results: 's3://longhaul/results/lab-a/run-1/work/b/',
      claim: 's3://longhaul/launches/run-1/claims/work/b/1-2',
      commit: 's3://longhaul/launches/run-1/commits/work/b/k1.json',
      starts: 's3://longhaul/launches/run-1/starts/work/b/',
    });
    expect(rowOf(plan, step)).not.toHaveProperty('sharedOutputs');
  });

  it('fills outputs from item, parameters, launch and resources', () => {
    const { plan, step } = single(
      {
        command: 'true > ${{ outputs.out }}',
        scatter: ['sample'],
        outputs: {
          out: '${{ sample }}/${{ sample.lane }}-${{ parameters.q }}-${{ launch.id }}.${{ resources.vcpus }}',
        },
        resources: { vcpus: 2 },
      },
      { scatter: { sample: [{ name: 'a', lane: 7 }] }, parameters: { q: 20 } },
    );
    const row = rowOf(plan, step);
    expect(row.outputs).toEqual([{ name: 'out', path: 'a/7-20-run-1.2' }]);
    expect(row.script).toBe('set -eu\ncd "$LONGHAUL_WORK/outputs"\ntrue > "$LONGHAUL_WORK"/outputs/a/7-20-run-1.2\n');
  });

  it('lets gathered files of the same name lie in folders of their items', () => {
    const plan = planOf(
      sheetOf(
        {
          each: { image: 'i', command: 'c', scatter: ['sample'], outputs: { out: 'o.txt' } },
          merge: { image: 'i', command: 'cat ${{ inputs.all }}', inputs: { all: { from: 'each.out', gather: true } } },
        },
        { scatter: { sample: ['a', 'b'] } },
      ),
    );
    const sources = {
      all: ['a', 'b'].map((item) => ({ from: `commit:s3://c/${item}.json#out`, name: `${item}/o.txt` })),
    };
    const row = rowOf(plan, plan.steps[1] as PlannedStep, sources);
    expect(row.inputs).toEqual([
      { from: 'commit:s3://c/a.json#out', path: 'inputs/all/a/o.txt' },
      { from: 'commit:s3://c/b.json#out', path: 'inputs/all/b/o.txt' },
    ]);
    expect(row.script).toContain('cat "$LONGHAUL_WORK"/inputs/all/a/o.txt "$LONGHAUL_WORK"/inputs/all/b/o.txt\n');
  });

  it('names a folder on the shared file system where there is one', () => {
    const shared = { sharedFileSystem: { type: 'host', hostPath: '/fsx' } } as const;
    const { plan, step } = single({ command: 'run' }, shared);
    expect(rowOf(plan, step).sharedOutputs).toBe('longhaul/run-1/work/all');
  });
});

describe('argv', () => {
  it('has no script, and a list of files becomes as many words', () => {
    const { plan, step } = single({
      argv: ['cat', '${{ inputs.files }}', '--to', '${{ outputs.out }}', '--first=${{ inputs.one }}'],
      inputs: { files: 'reads/*.fq', one: 'a.txt' },
      outputs: { out: 'sum.txt' },
    });
    const sources = {
      files: [
        { from: 's3://d/x', name: 'x y.fq' },
        { from: 's3://d/z', name: 'z.fq' },
      ],
      one: [{ from: 's3://d/a.txt', name: 'a.txt' }],
    };
    const argv = step.main.kind === 'argv' ? step.main.argv : [];
    expect(expandArgv(plan, step, argv, sources)).toEqual([
      'cat',
      `${WORK_PATH}/inputs/files/x y.fq`,
      `${WORK_PATH}/inputs/files/z.fq`,
      '--to',
      `${WORK_PATH}/outputs/sum.txt`,
      `--first=${WORK_PATH}/inputs/one/a.txt`,
    ]);
    expect(rowOf(plan, step, sources)).not.toHaveProperty('script');
  });

  it('is the same for all items of an array, because single inputs are called by the name of the input', () => {
    const { plan, step } = single(
      { argv: ['index', '${{ inputs.reads }}'], scatter: ['sample'], inputs: { reads: '${{ sample }}.fq.gz' } },
      { scatter: { sample: ['a', 'b.2'] } },
    );
    const argvs = itemsOf(plan, step).map((item) => {
      const path = expandPath(plan, step, item, '${{ sample }}.fq.gz');
      const sources = { reads: [{ from: `s3://data/${path}`, name: path }] };
      expect(manifestRow(plan, step, item, sources, PLACE).inputs[0]?.path).toBe('inputs/reads/reads.fq.gz');
      return expandArgv(plan, step, ['index', '${{ inputs.reads }}'], sources);
    });
    expect(argvs[0]).toEqual(['index', `${WORK_PATH}/inputs/reads/reads.fq.gz`]);
    expect(argvs[1]).toEqual(argvs[0]);
  });
});
