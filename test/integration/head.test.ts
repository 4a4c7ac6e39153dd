/** Head jobs on the embedded platform: other engines' workflows and any tool, with the same life as durable steps. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseDocument, stringify } from 'yaml';
import { launchOutputs } from '../../clients/launch/outputs.ts';
import { COHORT_DEFAULTS, generateCohort, readReference } from '../../examples/lambda/generate.ts';
import { packageRoot } from '../../infra/local/platform/root.ts';
import { silent, tools } from '../../infra/local/tools/index.ts';
import { readObject } from '../../lib/s3-objects.ts';
import { workflowIdOf } from '../../workflows/launch/model.ts';
import type { Sheet } from '../../workflows/launch/sheet/sheet.ts';
import { type Longhaul, openLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await openLonghaul({}, { engines: ['snakemake', 'cwltool'] });
}, 600_000);
afterAll(() => longhaul?.close());

const HEAD = { image: 'longhaul/snakemake:9', resources: { vcpus: 1, memoryMiB: 512 } };

const sheetText = (launchId: string, more: Partial<Sheet>) =>
  stringify({
    apiVersion: 'longhaul/v1',
    launchId,
    workflowType: 'snakemake',
    consumer: 'lab-a',
    dataPath: 's3://longhaul/data/head/',
    head: HEAD,
    ...more,
  });

async function launch(launchId: string, more: Partial<Sheet>) {
  await longhaul.put(`sheets/lab-a/${launchId}.yaml`, sheetText(launchId, more));
  return longhaul.follow(launchId);
}

const lines = async (file: string) =>
  existsSync(file) ? (await readFile(file, 'utf8')).trim().split('\n').toSorted() : [];

/** Two rules: `quick` is done at once, `slow` waits for a file outside. Each notes that it has begun. */
function twoRules(name: string) {
  const runs = join(longhaul.directory, name);
  const command = (step: string, then: string) => `echo ${step} >> ${runs}; ${then}`;
  return {
    runs,
    go: () => writeFile(`${runs}.go`, ''),
    steps: {
      quick: { image: 't:1', outputs: { o: 'o' }, command: command('quick', 'echo done > ${{ outputs.o }}') },
      slow: {
        image: 't:1',
        inputs: { o: { from: 'quick.o' } },
        outputs: { p: 'p' },
        command: command(
          'slow',
          `while [ ! -e ${runs}.go ]; do sleep 0.05; done; cat \${{ inputs.o }} > \${{ outputs.p }}`,
        ),
      },
    },
  };
}

/** Once the head has kept a snapshot in which `path` stands. */
async function kept(launchId: string, path: string): Promise<void> {
  const Prefix = `launches/${launchId}/heads/`;
  await expect
    .poll(async () => {
      const { Contents = [] } = await longhaul.aws.s3.send(new ListObjectsV2Command({ Bucket: 'longhaul', Prefix }));
      const snapshot = Contents.find(({ Key }) => Key?.includes('/snapshots/'))?.Key;
      return snapshot === undefined ? '' : longhaul.read(`s3://longhaul/${snapshot}`);
    })
    .toContain(`"${path}"`);
}

describe('the sheet of the demo', () => {
  const LAMBDA = join(packageRoot(), 'examples/lambda');
  let text = '';
  beforeAll(async () => {
    text = await readFile(join(LAMBDA, 'sheet.yaml'), 'utf8');
    const reference = await readFile(join(LAMBDA, 'lambda_virus.fa.gz'));
    const cohort = generateCohort({ ...COHORT_DEFAULTS, seed: 7, reference: readReference(reference) });
    await longhaul.put('data/lambda/reference/lambda_virus.fa.gz', reference);
    await longhaul.put('data/lambda/truth/truth.vcf', cohort.truth);
    for (const { fileName, bytes } of cohort.samples.flatMap(({ reads }) => reads))
      await longhaul.put(`data/lambda/reads/${fileName}`, bytes);
    for (const script of ['align.py', 'call.py', 'merge.py', 'compare.py'])
      await longhaul.put(`data/lambda/pipeline/${script}`, await readFile(join(LAMBDA, 'pipeline', script)));
  });

  async function calls(launchId: string): Promise<string[]> {
    const outputs = await launchOutputs(longhaul.aws.s3, 'longhaul', launchId);
    const vcf = outputs.find(({ path }) => path.endsWith('cohort.vcf.gz'));
    const { bytes } = await readObject(longhaul.aws.s3, vcf?.address ?? '', { limit: 10_000_000 });
    return gunzipSync(bytes)
      .toString('utf8')
      .split('\n')
      .filter((line) => line && !line.startsWith('##'));
  }

  it('gives the same calls by durable steps and by Snakemake', async () => {
    await longhaul.put('sheets/demo/steps.yaml', `launchId: demo-steps\n${text}`);
    const byHead = parseDocument(text);
    byHead.set('launchId', 'demo-snakemake');
    byHead.set('workflowType', 'snakemake');
    byHead.set('head', { image: 'longhaul/snakemake:9', resources: { vcpus: 2, memoryMiB: 2048 } });
    await longhaul.put('sheets/demo/snakemake.yaml', byHead.toString());

    const [steps, snakemake] = await Promise.all([longhaul.follow('demo-steps'), longhaul.follow('demo-snakemake')]);

    expect([steps.status, snakemake.status]).toEqual(['COMPLETE', 'COMPLETE']);
    const [expected, found] = await Promise.all([calls('demo-steps'), calls('demo-snakemake')]);
    expect(expected.length).toBeGreaterThan(100);
    expect(found).toEqual(expected);
    expect(snakemake.steps[0]?.tasks?.map(({ name, total, succeeded }) => [name, total, succeeded])).toEqual([
      ['align', 3, 3],
      ['call', 3, 3],
      ['merge', 1, 1],
      ['compare', 1, 1],
    ]);
  });
});

describe('a head job', () => {
  it('goes on when its host is lost: what was finished is not done again', async () => {
    const { runs, go, steps } = twoRules('host');
    await longhaul.put('sheets/lab-a/host.yaml', sheetText('head-host', { steps }));
    await kept('head-host', 'quick/all/o');
    await expect.poll(() => lines(runs)).toContain('slow');
    await longhaul.action('POST lose-instance');
    await go();

    const ended = await longhaul.follow('head-host');

    expect(ended).toMatchObject({ status: 'COMPLETE' });
    expect(await lines(runs)).toEqual(['quick', 'slow', 'slow']);
  });

  it('that has failed names the rule, and goes on by "launch retry"', async () => {
    const { runs, go, steps } = twoRules('fails');
    const slow = {
      ...steps.slow,
      command: `[ -e ${runs}.go ] || { echo it broke here >&2; exit 7; }; ${steps.slow.command}`,
    };
    const failed = await launch('head-fails', { steps: { ...steps, slow } });

    expect(failed).toMatchObject({ status: 'FAILED', error: { type: 'StepFailedError' } });
    expect(failed.error?.message).toMatch(/slow.*exited with 7.*it broke here/s);
    const [row] = await longhaul.steps.ofLaunch('head-fails', 1);
    expect(row?.failures).toEqual([expect.objectContaining({ item: 'slow', cause: 'EXIT_CODE', exit_code: 7 })]);
    expect(row?.tasks).toEqual([
      { name: 'quick', total: 1, running: 0, succeeded: 1, failed: 0 },
      { name: 'slow', total: 1, running: 0, succeeded: 0, failed: 1 },
    ]);
    const explained = await longhaul.cli('launch', 'explain', 'head-fails', '--json');
    expect(explained.json()).toMatchObject({ cause: 'EXIT_CODE', summary: expect.stringContaining('slow') });

    await go();
    await longhaul.cli('launch', 'retry', 'head-fails', '--watch');

    expect((await longhaul.launches.get('head-fails'))?.status).toBe('COMPLETE');
    expect(await lines(runs)).toEqual(['quick', 'slow']);
  });

  it('whose definition cannot be run says what is wrong with it, and is not tried again', async () => {
    await longhaul.put('workflows/broken/Snakefile', 'rule all:\n    input: "nobody-makes-this"\n');

    const { status, error } = await launch('head-broken', {
      workflowEndpoint: 's3://longhaul/workflows/broken/Snakefile',
      outputs: { o: '*.txt' },
      head: { ...HEAD, retries: 3 },
    });

    expect(status).toBe('FAILED');
    expect(error?.message).toContain('its workflow definition cannot be run');
    const [row] = await longhaul.steps.ofLaunch('head-broken', 1);
    expect(row).toMatchObject({ generation: 1, failures: [{ cause: 'WORKFLOW' }] });
    expect(row?.failures?.[0]?.last_log_lines?.join('\n')).toContain('nobody-makes-this');
  });

  it('one of whose tasks was killed for its memory runs again with twice as much', async () => {
    const once = join(longhaul.directory, 'killed-once');

    const { status } = await launch('head-memory', {
      steps: {
        hungry: {
          image: 't:1',
          outputs: { o: 'o' },
          command: `mkdir ${once} 2>/dev/null && kill -9 $$; echo done > \${{ outputs.o }}`,
        },
      },
    });

    expect(status).toBe('COMPLETE');
    const [row] = await longhaul.steps.ofLaunch('head-memory', 1);
    expect(row).toMatchObject({ generation: 2, failed_jobs: { OUT_OF_MEMORY: 1 } });
    expect(row?.jobs.map(({ memory_mib: memory }) => memory)).toEqual([512, 1024]);
  });

  it('runs a Snakefile from S3 or from its image, and is not run twice for the same', async () => {
    await longhaul.put('data/head/reads/a.txt', 'a\nb\n');
    await longhaul.put('data/head/reads/b.txt', 'c\n');
    const snakefile =
      'rule total:\n    input: config["inputs"]["reads"]\n    output: "total.txt"\n    shell: "cat {input} | wc -l > {output}"\n';
    await longhaul.put('workflows/total/Snakefile', snakefile);
    await mkdir(join(longhaul.directory, 'image'));
    await writeFile(join(longhaul.directory, 'image/Snakefile'), snakefile);
    const sheet = { inputs: { reads: 'reads/*.txt' }, outputs: { total: 'total.txt' } };

    const own = { ...sheet, workflowEndpoint: 's3://longhaul/workflows/total/Snakefile' };
    expect(await launch('head-own', own)).toMatchObject({ status: 'COMPLETE', steps: [{ items: { succeeded: 1 } }] });
    expect(await launch('head-own-2', own)).toMatchObject({ status: 'COMPLETE', steps: [{ items: { cached: 1 } }] });

    const { digests } = JSON.parse(
      await longhaul.read('s3://longhaul/launches/head-own/attempts/1/preflight.json'),
    ) as {
      digests: Record<string, string>;
    };
    const image = `longhaul/snakemake@${digests[HEAD.image]}`;
    const inImage = {
      ...sheet,
      workflowEndpoint: `image://${join(longhaul.directory, 'image/Snakefile')}`,
      head: { ...HEAD, image },
    };
    expect(await launch('head-image', inImage)).toMatchObject({ status: 'COMPLETE' });
    const [output] = await launchOutputs(longhaul.aws.s3, 'longhaul', 'head-image');
    expect((await longhaul.read(output?.address ?? '')).trim()).toBe('3');
  });

  it('costs the history no more than a step and its reports', async () => {
    const handle = longhaul.temporal.client.workflow.getHandle(workflowIdOf('head-own'));
    expect((await handle.describe()).historyLength).toBeLessThan(130);
  });
});

describe('CWL', () => {
  it('runs a document with a scatter', async () => {
    await longhaul.put('data/head/reads/a.txt', 'a\nb\n');
    await longhaul.put('data/head/reads/b.txt', 'c\n');
    await longhaul.put(
      'workflows/lines/lines.cwl',
      JSON.stringify({
        cwlVersion: 'v1.2',
        class: 'CommandLineTool',
        baseCommand: ['wc', '-l'],
        inputs: { reads: { type: 'File[]', inputBinding: { position: 1 } } },
        stdout: 'lines.txt',
        outputs: { lines: { type: 'stdout' } },
      }),
    );

    const { status, steps } = await launch('head-cwl', {
      workflowType: 'cwl',
      workflowEndpoint: 's3://longhaul/workflows/lines/lines.cwl',
      inputs: { reads: 'reads/*.txt' },
      outputs: { lines: 'results/lines.txt' },
      head: { ...HEAD, image: 'longhaul/cwltool:3' },
    });

    expect(status).toBe('COMPLETE');
    expect(steps[0]?.tasks).toEqual([{ name: 'lines.cwl', total: 1, running: 0, succeeded: 1, failed: 0 }]);
    const [output] = await launchOutputs(longhaul.aws.s3, 'longhaul', 'head-cwl');
    expect(await longhaul.read(output?.address ?? '')).toMatch(/3 total/);
  });
});

describe('a command', () => {
  it('gets its values as words, whatever is in them', async () => {
    await longhaul.put('data/head/in.txt', 'text\n');
    const word = `a $(touch ${longhaul.directory}/hurt) "b"; 'c'`;

    const { status } = await launch('head-command', {
      workflowType: 'command',
      parameters: { word, n: 3 },
      parameterTypes: { n: { type: 'integer', minimum: 1 } },
      inputs: { text: 'in.txt' },
      outputs: { out: 'out.txt' },
      command:
        'printf "%s\\n" ${{ parameters.word }} ${{ parameters.n }} > ${{ outputs.out }}; cat ${{ inputs.text }} >> ${{ outputs.out }}',
    });

    expect(status).toBe('COMPLETE');
    const [output] = await launchOutputs(longhaul.aws.s3, 'longhaul', 'head-command');
    expect(await longhaul.read(output?.address ?? '')).toBe(`${word}\n3\ntext\n`);
    expect(existsSync(join(longhaul.directory, 'hurt'))).toBe(false);
  });

  it('finds its checkpoints again when its host was lost', async () => {
    const runs = join(longhaul.directory, 'checkpoint');
    await longhaul.put(
      'sheets/lab-a/checkpoint.yaml',
      sheetText('head-checkpoint', {
        workflowType: 'command',
        outputs: { out: 'out.txt' },
        head: { ...HEAD, keep: ['checkpoint/**'] },
        command: `if [ -e checkpoint/half ]; then echo second >> ${runs}; cp checkpoint/half \${{ outputs.out }}; exit 0; fi
mkdir checkpoint; echo half > checkpoint/half; echo first >> ${runs}; while :; do sleep 0.1; done`,
      }),
    );
    await kept('head-checkpoint', 'checkpoint/half');
    await longhaul.action('POST lose-instance');

    const ended = await longhaul.follow('head-checkpoint');

    expect(ended).toMatchObject({ status: 'COMPLETE' });
    expect(await lines(runs)).toEqual(['first', 'second']);
  });
});

describe('longhaul launch import', () => {
  it('makes durable steps that do what Snakemake does', async () => {
    const { python } = await tools.snakemake(silent);
    const folder = join(longhaul.directory, 'import');
    await mkdir(join(folder, 'data'), { recursive: true });
    await writeFile(join(folder, 'data/a.txt'), 'a\nb\n');
    await writeFile(join(folder, 'data/b.txt'), 'c\n');
    await writeFile(
      join(folder, 'Snakefile'),
      `rule all:
    input: "report.txt", expand("pair/{s}.{h}.txt", s=["a", "b"], h=["x", "y"])
rule count:
    input: "data/{s}.txt"
    output: "count/{s}.txt"
    log: "logs/{s}.log"
    shell: "wc -l < {input} > {output} 2> {log}; test {wildcards.s} != '\${{{{ it }}}}'"
rule pair:
    input: "count/{s}.txt"
    output: "pair/{s}.{h}.txt"
    shell: "echo {wildcards.h} $(cat {input}) > {output}"
rule report:
    input: expand("count/{s}.txt", s=["a", "b"])
    output: "report.txt"
    shell: "cat {input} > {output}"
`,
    );
    const sheet = join(folder, 'sheet.yaml');
    const made = await longhaul.cli(
      ...['launch', 'import', join(folder, 'Snakefile'), '--directory', folder, '--python', python, '--out', sheet],
      ...['--image', 'longhaul/genomics:1', '--consumer', 'lab-a', '--launch-id', 'imported-1'],
      ...['--data-path', 's3://longhaul/data/import/', '--json'],
    );
    expect(made.stderr).toBe('');
    // Two wildcards tell the pairs apart, so each is a step, and what they take of `count` is taken apart with them.
    expect(made.json()).toMatchObject({ steps: 7 });
    for (const name of ['a', 'b'])
      await longhaul.put(`data/import/data/${name}.txt`, await readFile(join(folder, `data/${name}.txt`)));

    await longhaul.cli('launch', 'submit', sheet, '--watch');

    expect((await longhaul.launches.get('imported-1'))?.status).toBe('COMPLETE');
    const outputs = await launchOutputs(longhaul.aws.s3, 'longhaul', 'imported-1');
    const texts = await Promise.all(
      outputs.map(async ({ path, address }) => [path, await longhaul.read(address)] as const),
    );
    expect(Object.fromEntries(texts)).toEqual({
      'count/a.txt': '2\n',
      'count/b.txt': '1\n',
      'pair/a.x.txt': 'x 2\n',
      'pair/a.y.txt': 'y 2\n',
      'pair/b.x.txt': 'x 1\n',
      'pair/b.y.txt': 'y 1\n',
      'report.txt': '2\n1\n',
    });
  });

  it('refuses what only Snakemake can run, and says why', async () => {
    const { python } = await tools.snakemake(silent);
    const file = join(longhaul.directory, 'Snakefile.script');
    await writeFile(file, 'rule all:\n    output: "x.txt"\n    run:\n        open(output[0], "w")\n');

    const { code, stderr } = await longhaul.cli(
      ...['launch', 'import', file, '--directory', longhaul.directory, '--python', python],
      ...['--image', 'i:1', '--consumer', 'lab-a', '--data-path', 's3://longhaul/data/'],
    );

    expect(code).toBe(1);
    expect(stderr).toContain('rule all: run: its Python code');
  });

  it('and export are each other’s opposite', async () => {
    const { python, bin } = await tools.snakemake(silent);
    const folder = join(longhaul.directory, 'round');
    await mkdir(folder);
    const sheet = join(folder, 'sheet.yaml');
    await writeFile(
      sheet,
      stringify({
        apiVersion: 'longhaul/v1',
        launchId: 'round-1',
        workflowType: 'steps',
        consumer: 'lab-a',
        dataPath: 's3://longhaul/data/head/',
        scatter: { sample: ['a', 'b'] },
        steps: {
          make: {
            image: 't:1',
            scatter: ['sample'],
            outputs: { o: '${{ sample }}.txt' },
            command: 'echo ${{ sample }} > ${{ outputs.o }}',
          },
          join: {
            image: 't:1',
            inputs: { all: { from: 'make.o', gather: true } },
            outputs: { o: 'all.txt' },
            command: 'cat ${{ inputs.all }} > ${{ outputs.o }}',
          },
        },
      }),
    );

    expect(await longhaul.cli('launch', 'export', sheet, '--snakemake', '--out', folder)).toMatchObject({ code: 0 });
    const ran = await longhaul.run(
      join(bin, 'snakemake'),
      ...[
        '--directory',
        folder,
        '--snakefile',
        join(folder, 'Snakefile'),
        '--configfile',
        join(folder, 'config.yaml'),
        '--cores',
        '1',
      ],
    );
    expect(ran.code, ran.stderr).toBe(0);
    expect(await readFile(join(folder, 'join/all/all.txt'), 'utf8')).toBe('a\nb\n');
    const back = await longhaul.cli(
      ...['launch', 'import', join(folder, 'Snakefile'), '--configfile', join(folder, 'config.yaml')],
      ...[
        '--directory',
        folder,
        '--python',
        python,
        '--image',
        'i:1',
        '--consumer',
        'lab-a',
        '--data-path',
        's3://bucket/d/',
        '--json',
      ],
    );
    expect(back.code, back.stderr).toBe(0);
    expect(back.json()).toMatchObject({ steps: 2 });
  });
});
