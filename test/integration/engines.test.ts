/** The workflow engines themselves, without a compute service: what is made for them is valid, a killed head goes on. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { silent, tools } from '../../infra/local/tools/index.ts';
import type { Sheet, SheetStep } from '../../workflows/launch/sheet/sheet.ts';
import { type EngineWorld, openEngine } from '../support/engine-world.ts';
import { openStandIns, type StandIns, until } from '../support/stand-ins.ts';

let standIns: StandIns;
const worlds: EngineWorld[] = [];
beforeAll(async () => {
  standIns = await openStandIns();
});
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});
afterAll(() => standIns.close());

const HEAD = { image: 'engine:1', resources: { vcpus: 2, memoryMiB: 1024 } };
const DATA = { 'reads/a.txt': 'a1\na2\n', 'reads/b.txt': 'b1\n' };

async function open(
  bin: string,
  sheet: Omit<Sheet, 'apiVersion' | 'consumer' | 'dataPath' | 'head'> & Partial<Pick<Sheet, 'head'>>,
  workflow: Record<string, string> = {},
): Promise<EngineWorld> {
  const world = await openEngine(standIns.s3, bin, { head: HEAD, ...sheet }, { data: DATA, workflow });
  worlds.push(world);
  return world;
}

/** What a task runs to note that it has begun; `wait` keeps it until the file `go` is there, as a host that is lost does. */
const noting = (name: string, runs: string, wait = false) =>
  `echo ${name} >> ${runs}${wait ? `; while [ ! -e ${runs}.go ]; do sleep 0.05; done` : ''}`;
const runsOf = async (file: string) =>
  existsSync(file) ? (await readFile(file, 'utf8')).trim().split('\n').sort() : [];

/** Kills a head once `ready`, and lets another go on from what was kept. */
async function killAndGoOn(world: EngineWorld, runs: string, ready: () => Promise<boolean>) {
  const first = world.start();
  await until('the first head has come so far', ready);
  await world.save(1);
  await first.kill();
  await writeFile(`${runs}.go`, '');
  await world.restore(2);
  return world.run();
}

describe('Snakemake', () => {
  let bin = '';
  beforeAll(async () => {
    ({ bin } = await tools.snakemake(silent));
  }, 300_000);

  const steps = (more: Record<string, Partial<SheetStep>> = {}) =>
    ({
      pick: {
        image: 'tools:1',
        scatter: ['sample', 'half'],
        inputs: { reads: 'reads/${{ sample }}.txt' },
        outputs: { picked: '${{ sample }}.${{ half }}.txt' },
        command:
          '# a comment with \'quotes\' and {braces}\nawk -v n=${{ half.line }} \'NR == n { print $0 " {" n "}" }\' ${{ inputs.reads }} > ${{ outputs.picked }}\n',
      },
      count: {
        image: 'tools:1',
        scatter: ['sample'],
        inputs: { picked: { from: 'pick.picked', gather: true } },
        outputs: { lines: '${{ sample }}.count', parts: 'parts/*.txt' },
        environment: { LABEL: "it's ${{ launch.consumer }}" },
        command:
          'mkdir parts; cat ${{ inputs.picked }} > ${{ outputs.lines }}; printf "%s " "$LABEL" > parts/"label of it.txt"; printf %s ${{ parameters.note }} > parts/note.txt',
      },
      report: {
        image: 'tools:1',
        // `index` is a name that Snakemake has itself.
        inputs: { index: { from: 'count.lines', gather: true }, index_: { from: 'count.parts', gather: true } },
        outputs: { report: 'report.txt' },
        command: 'cat ${{ inputs.index }} ${{ inputs.index_ }} > ${{ outputs.report }}',
      },
      sized: {
        image: 'tools:1',
        scatter: ['half'],
        outputs: { o: '${{ half.line }}-${{ resources.memoryMiB }}.txt' },
        command: 'echo ${{ resources.vcpus }} > ${{ outputs.o }}',
        resources: { vcpus: 2, memoryMiB: 64 },
      },
      sizes: {
        image: 'tools:1',
        scatter: ['half'],
        inputs: { o: { from: 'sized.o' } },
        outputs: { o: 'o' },
        command: 'cat ${{ inputs.o }} > ${{ outputs.o }}',
      },
      tidy: { image: 'tools:1', after: ['report', 'sizes'], argv: ['test', '${{ parameters.note }}', '!=', '{x}'] },
      ...more,
    }) as Record<string, SheetStep>;
  const sheet = {
    workflowType: 'snakemake' as const,
    parameters: { note: 'a $(touch hurt) "note"; \'x\'' },
    scatter: {
      sample: ['a', 'b'],
      half: [
        { name: 'first', line: '1' },
        { name: 'second', line: '2' },
      ],
    },
  };

  it('runs steps as durable steps run: dimensions, fields, gathers, patterns, quoting', async () => {
    const world = await open(bin, { ...sheet, steps: steps() });

    const { code, lines, picture } = await world.run();

    expect(code, lines.join('\n')).toBe(0);
    expect(await world.read('pick/a,first/a.first.txt')).toBe('a1 {1}\n');
    expect(await world.read('report/all/report.txt')).toBe(
      `a1 {1}\na2 {2}\nb1 {1}\n${"it's lab-a ".concat('a $(touch hurt) "note"; \'x\'').repeat(2)}`,
    );
    expect(await world.read('sizes/second/o')).toBe('2\n');
    expect(existsSync(join(world.outputs, 'sized/second/2-64.txt'))).toBe(true);
    expect(existsSync(join(world.outputs, 'hurt'))).toBe(false);
    expect(picture().tasks.map(({ name, total, succeeded }) => [name, total, succeeded])).toEqual(
      expect.arrayContaining([
        ['pick', 4, 4],
        ['count', 2, 2],
        ['report', 1, 1],
        ['tidy', 1, 1],
      ]),
    );
    // A second run finds everything done.
    const again = await world.run();
    expect(again.lines.join('\n')).toContain('Nothing to be done');
  });

  it('goes on after its death: what is done is not done again, what was half done is', async () => {
    const runs = join((await open(bin, { ...sheet, steps: steps() })).folder, 'runs');
    const world = await open(bin, {
      workflowType: 'snakemake',
      steps: {
        quick: {
          image: 't:1',
          outputs: { o: 'o' },
          command: `${noting('quick', runs)}; echo done > \${{ outputs.o }}`,
        },
        slow: {
          image: 't:1',
          inputs: { o: { from: 'quick.o' } },
          outputs: { p: 'p' },
          command: `echo half > \${{ outputs.p }}; ${noting('slow', runs, true)}; echo whole > \${{ outputs.p }}`,
        },
      },
    });

    const { code, lines } = await killAndGoOn(world, runs, async () => (await runsOf(runs)).includes('slow'));

    expect(code, lines.join('\n')).toBe(0);
    expect(await runsOf(runs)).toEqual(['quick', 'slow', 'slow']);
    expect(await world.read('slow/all/p')).toBe('whole\n');
  });

  it('says which rule failed, of which item, with what code, and its last words', async () => {
    const world = await open(bin, {
      ...sheet,
      onFailure: 'finish',
      steps: {
        work: {
          image: 't:1',
          scatter: ['sample'],
          outputs: { o: 'o' },
          command: 'if [ ${{ sample }} = b ]; then echo it broke here >&2; exit 7; fi; echo > ${{ outputs.o }}',
        },
      },
    });

    const { code, picture } = await world.run();

    expect(code).toBe(1);
    expect(picture()).toMatchObject({
      tasks: [{ name: 'work', total: 2, succeeded: 1, failed: 1, running: 0 }],
      failures: [{ task: 'work', item: 'sample=b', exitCode: 7, message: expect.stringContaining('it broke here') }],
    });
  });

  it('tells a Snakefile that cannot be run from a task that failed', async () => {
    const own = {
      workflowType: 'snakemake' as const,
      workflowEndpoint: 's3://longhaul/w/Snakefile',
      outputs: { o: '*' },
    };
    const broken = await open(bin, own, { Snakefile: 'rule all:\n    input: "nobody-makes-this"\n' });

    const { code, picture } = await broken.run();

    expect(code).toBe(1);
    expect(picture().problem).toMatch(/MissingInputException[\s\S]*nobody-makes-this/);
    expect(picture().failures).toEqual([]);
  });

  it('runs a Snakefile of its own with config, inputs and includes', async () => {
    const world = await open(
      bin,
      {
        workflowType: 'snakemake',
        workflowEndpoint: 's3://longhaul/w/Snakefile',
        parameters: { note: 'it\'s "so"' },
        inputs: { reads: 'reads/*.txt' },
        outputs: { total: 'total.txt' },
      },
      {
        Snakefile: 'rule all:\n    input: "total.txt"\ninclude: "rules/sum.smk"\n',
        'rules/sum.smk':
          'rule total:\n    input: config["inputs"]["reads"]\n    output: "total.txt"\n    params: note=config["note"]\n    shell: "echo {params.note:q} > {output}; cat {input} >> {output}"\n',
      },
    );

    const { code, lines } = await world.run();

    expect(code, lines.join('\n')).toBe(0);
    expect(await world.read('total.txt')).toBe('it\'s "so"\na1\na2\nb1\n');
  });
});

describe('cwltool', () => {
  let bin = '';
  beforeAll(async () => {
    ({ bin } = await tools.cwltool(silent));
  }, 300_000);

  const workflow = (runs: string) => ({
    'wf.cwl': JSON.stringify({
      cwlVersion: 'v1.2',
      class: 'Workflow',
      requirements: { ScatterFeatureRequirement: {} },
      inputs: { reads: 'File[]', code: 'int' },
      outputs: { total: { type: 'File', outputSource: 'sum/out' } },
      steps: {
        count: { run: 'count.cwl', scatter: 'file', in: { file: 'reads' }, out: ['out'] },
        sum: { run: 'sum.cwl', in: { files: 'count/out', code: 'code' }, out: ['out'] },
      },
    }),
    'count.cwl': JSON.stringify({
      cwlVersion: 'v1.2',
      class: 'CommandLineTool',
      hints: { DockerRequirement: { dockerPull: 'debian:12' } },
      baseCommand: ['sh', '-c', `${noting('count', runs)}; wc -l < "$0"`],
      inputs: { file: { type: 'File', inputBinding: { position: 1 } } },
      stdout: '$(inputs.file.nameroot).count',
      outputs: { out: { type: 'stdout' } },
    }),
    'sum.cwl': JSON.stringify({
      cwlVersion: 'v1.2',
      class: 'CommandLineTool',
      baseCommand: ['sh', '-c', `${noting('sum', runs, true)}; [ "$0" = 0 ] || echo it broke >&2; cat "$@"; exit "$0"`],
      inputs: {
        code: { type: 'int', inputBinding: { position: 1 } },
        files: { type: 'File[]', inputBinding: { position: 2 } },
      },
      stdout: 'total.txt',
      outputs: { out: { type: 'stdout' } },
    }),
  });
  const sheet = (code: number) => ({
    workflowType: 'cwl' as const,
    workflowEndpoint: 's3://longhaul/w/wf.cwl',
    parameters: { code },
    inputs: { reads: 'reads/*.txt' },
    outputs: { total: 'results/total.txt' },
  });

  it('goes on after its death by the jobs it has cached', async () => {
    const world = await open(bin, sheet(0), {});
    const runs = join(world.folder, 'runs');
    for (const [name, text] of Object.entries(workflow(runs))) await putDefinition(world, name, text);

    const { code, lines, picture } = await killAndGoOn(world, runs, async () => (await runsOf(runs)).includes('sum'));

    expect(code, lines.join('\n')).toBe(0);
    expect(await runsOf(runs)).toEqual(['count', 'count', 'sum', 'sum']);
    expect((await world.read('results/total.txt')).split('\n').map((line) => line.trim())).toEqual(['2', '1', '']);
    expect(picture().tasks.map(({ name, succeeded }) => [name, succeeded])).toEqual([
      ['count', 2],
      ['sum', 1],
    ]);
  });

  it('says which job failed, with its code and last words', async () => {
    const world = await open(bin, sheet(7), {});
    const runs = join(world.folder, 'runs');
    await writeFile(`${runs}.go`, '');
    for (const [name, text] of Object.entries(workflow(runs))) await putDefinition(world, name, text);

    const { code, picture } = await world.run();

    expect(code).toBe(1);
    expect(picture().failures).toEqual([
      { task: 'sum', item: '', exitCode: 7, message: expect.stringContaining('it broke') },
    ]);
  });

  it('tells a document that cannot be run', async () => {
    const world = await open(bin, sheet(0), { 'wf.cwl': '{"cwlVersion": "v1.2", "class": "Workflow"}' });

    const { code, picture } = await world.run();

    expect(code).not.toBe(0);
    expect(picture().problem).toContain('wf.cwl');
  });
});

describe('Nextflow', () => {
  let bin = '';
  beforeAll(async () => {
    ({ bin } = await tools.nextflow(silent));
  }, 300_000);

  const script = (runs: string) => `
params.reads = []
params.code = 0
process COUNT {
  tag "\${f.baseName}"
  input: path f
  output: path "\${f.baseName}.n"
  script: "${noting('count', runs)}; wc -l < $f > \${f.baseName}.n"
}
process SUM {
  publishDir 'results', mode: 'copy'
  input: path ns
  output: path 'total.txt'
  script: "${noting('sum', runs, true)}; cat $ns > total.txt; [ $params.code = 0 ] || echo it broke >&2; exit $params.code"
}
workflow { SUM(COUNT(Channel.fromPath(params.reads)).collect(sort: true)) }
`;
  const sheet = (code: number) => ({
    workflowType: 'nextflow' as const,
    workflowEndpoint: 's3://longhaul/w/main.nf',
    parameters: { code },
    inputs: { reads: 'reads/*.txt' },
    outputs: { total: 'results/total.txt' },
  });

  it('goes on after its death by -resume', async () => {
    const world = await open(bin, sheet(0), {});
    const runs = join(world.folder, 'runs');
    await putDefinition(world, 'main.nf', script(runs));

    const { code, lines, picture } = await killAndGoOn(world, runs, async () => {
      if (!(await runsOf(runs)).includes('sum')) return false;
      // Nextflow enters a task into its cache (LevelDB, by its log) a moment after it has ended.
      const entries = (await filesBelow(join(world.outputs, '.nextflow/cache'), /\/db\/\d+\.log$/)).join();
      return ['COUNT (a', 'COUNT (b'].every((name) => entries.includes(name));
    });

    expect(code, lines.join('\n')).toBe(0);
    expect(await runsOf(runs), lines.join('\n')).toEqual(['count', 'count', 'sum', 'sum']);
    expect((await world.read('results/total.txt')).trim().split(/\s+/).sort()).toEqual(['1', '2']);
    expect(picture()).toMatchObject({
      tasks: [
        { name: 'COUNT', succeeded: 2, running: 0, failed: 0 },
        { name: 'SUM', succeeded: 1, running: 0, failed: 0 },
      ],
      failures: [],
    });
  });

  it('says which task failed, with its code and last words', async () => {
    const world = await open(bin, sheet(7), {});
    const runs = join(world.folder, 'runs');
    await writeFile(`${runs}.go`, '');
    await putDefinition(world, 'main.nf', script(runs));

    const { code, picture, lines } = await world.run();

    expect(code).toBe(1);
    expect(picture().failures, lines.join('\n')).toEqual([
      { task: 'SUM', item: '', exitCode: 7, message: expect.stringContaining('it broke') },
    ]);
  });

  it('tells a script that cannot be run', async () => {
    const world = await open(bin, sheet(0), { 'main.nf': 'workflow { nothing_like_this( }\n' });

    const { code, picture } = await world.run();

    expect(code).not.toBe(0);
    expect(picture().problem).toContain('main.nf');
  });
});

describe('miniwdl', () => {
  let bin = '';
  beforeAll(async () => {
    ({ bin } = await tools.miniwdl(silent));
  }, 300_000);
  // Tasks as plain processes: a backend of miniwdl's own kind, since there is no container runtime here.
  const local = {
    PYTHONPATH: join(import.meta.dirname, '../support/miniwdl'),
    MINIWDL__SCHEDULER__CONTAINER_BACKEND: 'local',
  };

  const document = (runs: string) => `version 1.0
workflow lines {
  input { Array[File] reads  Int code }
  scatter (r in reads) { call count { input: file = r } }
  call sum { input: counts = count.n, code = code }
  output { File total = sum.total }
}
task count {
  input { File file }
  command <<< ${noting('count', runs)}; wc -l < ~{file} >>>
  output { Int n = read_int(stdout()) }
}
task sum {
  input { Array[Int] counts  Int code }
  command <<< ${noting('sum', runs, true)}; echo $((~{sep="+" counts})) > total.txt; [ ~{code} = 0 ] || echo it broke >&2; exit ~{code} >>>
  output { File total = "total.txt" }
}
`;
  const sheet = (code: number) => ({
    workflowType: 'wdl' as const,
    workflowEndpoint: 's3://longhaul/w/lines.wdl',
    parameters: { code },
    inputs: { reads: 'reads/*.txt' },
    outputs: { total: 'results/**' },
    head: { ...HEAD, environment: local },
  });

  it('goes on after its death by its call cache', async () => {
    const world = await open(bin, sheet(0), {});
    const runs = join(world.folder, 'runs');
    await putDefinition(world, 'lines.wdl', document(runs));

    const { code, lines, picture } = await killAndGoOn(world, runs, async () => (await runsOf(runs)).includes('sum'));

    expect(code, lines.join('\n')).toBe(0);
    expect(await runsOf(runs)).toEqual(['count', 'count', 'sum', 'sum']);
    expect(await world.read('results/total/total.txt')).toBe('3\n');
    expect(picture().tasks.map(({ name, succeeded, running }) => [name, succeeded, running])).toEqual([
      ['count', 2, 0],
      ['sum', 1, 0],
    ]);
  });

  it('says which call failed, with its code and last words', async () => {
    const world = await open(bin, sheet(5), {});
    const runs = join(world.folder, 'runs');
    await writeFile(`${runs}.go`, '');
    await putDefinition(world, 'lines.wdl', document(runs));

    const { code, picture, lines } = await world.run();

    expect(code).not.toBe(0);
    expect(picture().failures, lines.join('\n')).toEqual([
      { task: 'sum', item: 'call-sum', exitCode: 5, message: expect.stringContaining('it broke') },
    ]);
  });

  it('tells a document that cannot be run', async () => {
    const world = await open(bin, sheet(0), { 'lines.wdl': 'version 1.0\nworkflow lines { call nothing }\n' });

    const { code, picture, lines } = await world.run();

    expect(code).not.toBe(0);
    expect(picture().problem, lines.join('\n')).toContain('nothing');
  });
});

async function filesBelow(folder: string, named: RegExp): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => named.test(file));
  return Promise.all(files.map((file) => readFile(file, 'latin1')));
}

/** The definition speaks of the world's own folder, so it is written when there is one. */
async function putDefinition(world: EngineWorld, name: string, text: string): Promise<void> {
  await mkdir(join(world.folder, 'inputs/workflow'), { recursive: true });
  await writeFile(join(world.folder, 'inputs/workflow', name), text);
}
