/** What the user reads for each kind of bad sheet: the whole message, as `launch submit` prints it. */
import { describe, expect, it } from 'vitest';
import { planLaunch } from '../../workflows/launch/plan-launch.ts';
import { parseSheet } from '../../workflows/launch/sheet/parse.ts';
import { SheetError } from '../../workflows/launch/sheet/problems.ts';

const HEAD = `apiVersion: longhaul/v1
launchId: run-1
workflowType: steps
consumer: lab-a
dataPath: s3://data/cohort/
`;
const STEP = `steps:
  align:
    image: tools:1
    command: run
`;

/** Reads and plans like the product does, and returns type and message. */
function refusalOf(text: string, discovered: Record<string, string[]> = {}): string {
  try {
    const { sheet, lineOf } = parseSheet(text, 'sheet.yaml');
    const planned = planLaunch(sheet, {
      launchId: 'run-1',
      attempt: 1,
      computeService: 'batch',
      defaultResultsPath: 's3://longhaul/results/',
      discovered,
    });
    if ('plan' in planned) return 'accepted';
    const problems = planned.problems.map((problem) => {
      const line = lineOf(problem.at.split('.'));
      return line === undefined ? problem : { ...problem, line };
    });
    throw new SheetError('sheet.yaml', problems);
  } catch (error) {
    if (error instanceof SheetError) return `${error.type}\n${error.message}`;
    throw error;
  }
}

describe('a sheet that is no sheet', () => {
  it('is empty', () => {
    expect(refusalOf('')).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml: the sheet is empty"
    `);
  });
  it('is only white space', () => {
    expect(refusalOf('\n  \n')).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml: the sheet is empty"
    `);
  });
  it('is not YAML', () => {
    expect(refusalOf('steps: [a, b')).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:1: not valid YAML or JSON: Flow sequence in block collection must be sufficiently indented and end with a ]"
    `);
  });
  it('has a tab for indentation', () => {
    expect(refusalOf(HEAD + 'steps:\n\talign: {}\n')).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:7: not valid YAML or JSON: Tabs are not allowed as indentation"
    `);
  });
  it('is a list', () => {
    expect(refusalOf('- a\n- b\n')).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:1: expected a mapping of settings at the top, such as "apiVersion: longhaul/v1""
    `);
  });
  it('is one word', () => {
    expect(refusalOf('hello')).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:1: expected a mapping of settings at the top, such as "apiVersion: longhaul/v1""
    `);
  });
  it('has the same key twice', () => {
    expect(refusalOf(HEAD + 'consumer: lab-b\n' + STEP)).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:6: not valid YAML or JSON: Map keys must be unique"
    `);
  });
  it('holds two documents', () => {
    expect(refusalOf(HEAD + STEP + '---\n' + HEAD + STEP)).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:10: the sheet holds more than one YAML document; give each launch a file of its own"
    `);
  });
  it('is binary', () => {
    expect(refusalOf('\u0000\u0001\u0002')).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml: the sheet is not text in UTF-8"
    `);
  });
  it('is broken JSON', () => {
    expect(refusalOf('{"apiVersion": "longhaul/v1",}}')).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:1: not valid YAML or JSON: Unexpected flow-map-end token in YAML stream: "}""
    `);
  });
  it('blows up by aliases', () => {
    expect(
      refusalOf(
        'a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n',
      ),
    ).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml: not valid YAML: Excessive alias count indicates a resource exhaustion attack"
    `);
  });
  it('is larger than a sheet may be', () => {
    expect(refusalOf(`# ${'x'.repeat(1_100_000)}\n`)).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml: the sheet is larger than 1048576 bytes"
    `);
  });
});

describe('a sheet with missing or bad settings', () => {
  it('lacks everything that is required', () => {
    expect(refusalOf('launchId: run-1\n')).toMatchInlineSnapshot(`
      "MissingRequiredParametersError
      sheet.yaml:1: steps: missing; this parameter is required
      sheet.yaml:1: apiVersion: missing; this parameter is required
      sheet.yaml:1: workflowType: missing; this parameter is required
      sheet.yaml:1: consumer: missing; this parameter is required
      sheet.yaml:1: dataPath: missing; this parameter is required"
    `);
  });
  it('has an unknown apiVersion', () => {
    expect(refusalOf(HEAD.replace('longhaul/v1', 'longhaul/v9') + STEP)).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:1: apiVersion: expected "longhaul/v1", got "longhaul/v9""
    `);
  });
  it('has an unknown field', () => {
    expect(refusalOf(HEAD + 'computService: batch\n' + STEP)).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:6: computService: unknown field; known here: apiVersion, launchId, workflowType, workflowEndpoint, consumer, dataPath, resultsPath, computeService, clusterId, sharedFileSystem, parameters, cache, onFailure, restore, scatter, steps, head, inputs, outputs, command, argv, parameterTypes"
    `);
  });
  it('has a workflow type that does not exist', () => {
    expect(refusalOf(HEAD.replace('workflowType: steps', 'workflowType: airflow') + STEP)).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:3: workflowType: expected one of "steps", "snakemake", "nextflow", "cwl", "wdl", "command", got "airflow" (steps: durable steps, run by Longhaul itself. All others: one head job that runs the engine, or the tool.)"
    `);
  });
  it('has a compute service that does not exist', () => {
    expect(refusalOf(HEAD + 'computeService: lambda\n' + STEP)).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:6: computeService: expected one of "batch", "slurm", "ec2", "eks", got "lambda" (Which service runs the jobs. Default: the computeService of the settings.)"
    `);
  });
  it('has a launch id with spaces', () => {
    expect(refusalOf(HEAD.replace('run-1', 'run 1') + STEP)).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:2: launchId: "run 1" does not have the expected form ^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$ (Identity of the launch: letters, digits, - and _, up to 64. Only a sheet uploaded to S3 may leave it out; it is then derived from bucket, key and version.)"
    `);
  });
  it('has a number as consumer', () => {
    expect(refusalOf(HEAD.replace('lab-a', '7') + STEP)).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:4: consumer: expected string, got 7 (Who the launch is for and who pays: lower-case letters, digits and -.)"
    `);
  });
  it('has a data path that is not in S3', () => {
    expect(refusalOf(HEAD.replace('s3://data/cohort/', '/data/cohort') + STEP)).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:5: dataPath: "/data/cohort" does not have the expected form ^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?$ (Where relative inputs are looked for.)"
    `);
  });
  it('has a results path without a bucket', () => {
    expect(refusalOf(HEAD + 'resultsPath: s3://\n' + STEP)).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:6: resultsPath: "s3://" does not have the expected form ^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?$ (Where outputs go. Default: results/<consumer>/ in Longhaul's own bucket.)"
    `);
  });
  it('has no steps', () => {
    expect(refusalOf(HEAD + 'steps: {}\n')).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:6: steps: must not be empty"
    `);
  });
  it('has steps as a list', () => {
    expect(refusalOf(HEAD + 'steps:\n  - image: tools:1\n')).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:6: steps: expected object, got a list of 1"
    `);
  });
  it('has a step without an image', () => {
    expect(refusalOf(HEAD + 'steps:\n  align:\n    command: run\n')).toMatchInlineSnapshot(`
      "MissingRequiredParametersError
      sheet.yaml:7: steps.align.image: missing; this parameter is required"
    `);
  });
  it('has a step without a command', () => {
    expect(refusalOf(HEAD + 'steps:\n  align:\n    image: tools:1\n')).toMatchInlineSnapshot(`
      "MissingRequiredParametersError
      sheet.yaml:7: steps.align.command: missing; a step needs command or argv"
    `);
  });
  it('has a step with command and argv', () => {
    expect(refusalOf(HEAD + STEP + '    argv: [run]\n')).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:10: steps.align.argv: a step has command or argv, not both"
    `);
  });
  it('has a misspelt field in a step', () => {
    expect(refusalOf(HEAD + STEP + '    resource: {}\n')).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:10: steps.align.resource: unknown field; known here: description, image, command, argv, scatter, after, inputs, outputs, resources, timeoutSeconds, retries, whenStuck, environment"
    `);
  });
  it('asks for negative memory', () => {
    expect(refusalOf(HEAD + STEP + '    resources: { memoryMiB: -1 }\n')).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:10: steps.align.resources.memoryMiB: must be >= 4, got -1"
    `);
  });
  it('asks for memory with a unit', () => {
    expect(refusalOf(HEAD + STEP + '    resources: { memoryMiB: 4GB }\n')).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:10: steps.align.resources.memoryMiB: expected integer, got "4GB""
    `);
  });
  it('asks for a fraction of a vCPU', () => {
    expect(refusalOf(HEAD + STEP + '    resources: { vcpus: 0.3 }\n')).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:10: steps.align.resources.vcpus: expected integer, got 0.3
      sheet.yaml:10: steps.align.resources.vcpus: must be >= 1, got 0.3"
    `);
  });
  it('has a timeout below the least of Batch', () => {
    expect(refusalOf(HEAD + STEP + '    timeoutSeconds: 5\n')).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:10: steps.align.timeoutSeconds: must be >= 60, got 5"
    `);
  });
  it('asks for too many retries', () => {
    expect(refusalOf(HEAD + STEP + '    retries: 50\n')).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:10: steps.align.retries: must be <= 9, got 50 (How often an item is tried again, for each cause. A number alone is that of exit codes.)"
    `);
  });
  it('sets a variable that is ours', () => {
    expect(refusalOf(HEAD + STEP + '    environment: { LONGHAUL_WORK: /tmp }\n')).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:10: steps.align.environment.LONGHAUL_WORK: this name cannot be used; it must match ^(?!LONGHAUL_|AWS_BATCH_)[A-Za-z_][A-Za-z0-9_]*$"
    `);
  });
  it('gives a variable a number', () => {
    expect(refusalOf(HEAD + STEP + '    environment: { THREADS: 4 }\n')).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:10: steps.align.environment.THREADS: expected string, got a value not shown here"
    `);
  });
  it('has a parameter that is a list', () => {
    expect(refusalOf(HEAD + 'parameters: { tokens: [hunter2] }\n' + STEP)).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:6: parameters.tokens: expected string or number or boolean, got a value not shown here"
    `);
  });
  it('has a step name with a dot', () => {
    expect(refusalOf(HEAD + 'steps:\n  a.b:\n    image: tools:1\n    command: run\n')).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:7: steps.a.b: this name cannot be used; it must match ^[A-Za-z][A-Za-z0-9_-]{0,47}$"
    `);
  });
  it('has an EFS without its id', () => {
    expect(refusalOf(HEAD + 'sharedFileSystem: { type: efs }\n' + STEP)).toMatchInlineSnapshot(`
      "MissingRequiredParametersError
      sheet.yaml:6: sharedFileSystem.fileSystemId: missing; this parameter is required"
    `);
  });
  it('has a shared file system without a type', () => {
    expect(refusalOf(HEAD + 'sharedFileSystem: { hostPath: /fsx }\n' + STEP)).toMatchInlineSnapshot(`
      "MissingRequiredParametersError
      sheet.yaml:6: sharedFileSystem.type: missing; this parameter is required"
    `);
  });
});

describe('a sheet whose steps do not fit together', () => {
  it('has steps that wait for each other', () => {
    expect(
      refusalOf(
        HEAD +
          `steps:
  a: { image: i, command: c, after: [b] }
  b: { image: i, command: c, after: [c] }
  c: { image: i, command: c, after: [a] }
`,
      ),
    ).toMatchInlineSnapshot(`
  "InvalidSheetError
  sheet.yaml:7: steps.a: the steps wait for each other: a -> b -> c -> a"
`);
  });
  it('has a step after itself', () => {
    expect(refusalOf(HEAD + STEP + '    after: [align]\n')).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:10: steps.align.after: a step cannot come after itself"
    `);
  });
  it('has a step after one that does not exist', () => {
    expect(refusalOf(HEAD + STEP + '    after: [trim]\n')).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:10: steps.align.after: there is no step trim; there are: align"
    `);
  });
  it('uses the output of a step that does not exist', () => {
    expect(refusalOf(HEAD + STEP + '    inputs: { reads: { from: trim.reads } }\n')).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:10: steps.align.inputs.reads: there is no step trim; there are: align"
    `);
  });
  it('uses an output that does not exist', () => {
    expect(
      refusalOf(
        HEAD +
          STEP +
          '    outputs: { bam: a.bam }\n  call:\n    image: i\n    command: c\n    inputs: { bam: { from: align.cram } }\n',
      ),
    ).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:14: steps.call.inputs.bam: step align has no output cram; it has: bam"
    `);
  });
  it('gathers without saying so', () => {
    expect(
      refusalOf(
        HEAD +
          'scatter: { sample: [a, b] }\n' +
          STEP +
          '    scatter: [sample]\n    outputs: { bam: x.bam }\n  merge:\n    image: i\n    command: c\n    inputs: { bams: { from: align.bam } }\n',
      ),
    ).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:16: steps.merge.inputs.bams: align.bam comes once for every sample; say gather: true to take them all, or scatter this step too"
    `);
  });
  it('scatters over what is not there', () => {
    expect(refusalOf(HEAD + STEP + '    scatter: [sample]\n')).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:10: steps.align.scatter: sample is not under scatter at the top; there are: none"
    `);
  });
  it('has the same item twice', () => {
    expect(
      refusalOf(HEAD + 'scatter: { sample: [a, b, a] }\n' + STEP + '    scatter: [sample]\n'),
    ).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:6: scatter.sample: the item a stands there twice"
    `);
  });
  it('has an item with a slash', () => {
    expect(refusalOf(HEAD + 'scatter: { sample: [a/b] }\n' + STEP)).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:6: scatter.sample: got a list of 1; expected a list of items that is not empty, or { discover: <pattern with one *> }"
    `);
  });
  it('has an empty dimension', () => {
    expect(refusalOf(HEAD + 'scatter: { sample: [] }\n' + STEP)).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:6: scatter.sample: got a list of 0; expected a list of items that is not empty, or { discover: <pattern with one *> }"
    `);
  });
  it('discovers nothing', () => {
    expect(refusalOf(HEAD + 'scatter: { sample: { discover: "reads/*_1.fq.gz" } }\n' + STEP)).toMatchInlineSnapshot(`
      "MissingRequiredParametersError
      sheet.yaml:6: scatter.sample.discover: nothing found that looks like reads/*_1.fq.gz"
    `);
  });
  it('discovers with two stars', () => {
    expect(refusalOf(HEAD + 'scatter: { sample: { discover: "*/*_1.fq.gz" } }\n' + STEP)).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:6: scatter.sample.discover: expected a pattern with exactly one *, such as reads/*_1.fq.gz"
    `);
  });
  it('refers to a parameter that is not there', () => {
    expect(refusalOf(HEAD + STEP.replace('run', 'run ${{ parameters.quality }}'))).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:9: steps.align.command: \${{ parameters.quality }}: there is no such parameter; there are: none"
    `);
  });
  it('refers to an input that is not there', () => {
    expect(refusalOf(HEAD + STEP.replace('run', 'run ${{ inputs.reads }}'))).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:9: steps.align.command: \${{ inputs.reads }}: there is no such input; there are: none"
    `);
  });
  it('refers to something unknown', () => {
    expect(refusalOf(HEAD + STEP.replace('run', 'run ${{ sampel }}'))).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:9: steps.align.command: \${{ sampel }}: unknown here; known: parameters, inputs, outputs, launch, resources"
    `);
  });
  it('has a template that is not closed', () => {
    expect(refusalOf(HEAD + STEP.replace('run', 'run ${{ inputs.reads'))).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:9: steps.align.command: a "\${{" is not closed by "}}""
    `);
  });
  it('has a template with code in it', () => {
    expect(refusalOf(HEAD + STEP.replace('run', 'run ${{ 1 + 1 }}'))).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:9: steps.align.command: "\${{ 1 + 1 }}" is not a name such as \${{ parameters.minQuality }}"
    `);
  });
  it('quotes a value that is quoted already', () => {
    expect(
      refusalOf(HEAD + 'parameters: { q: 1 }\n' + STEP.replace('run', `run "\${{ parameters.q }}"`)),
    ).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:10: steps.align.command: a \${{ }} stands in quotes; its value is quoted for the shell already, so leave the quotes away"
    `);
  });
  it('uses an item in the argv of an array', () => {
    expect(
      refusalOf(
        HEAD +
          'scatter: { sample: [a, b] }\n' +
          STEP.replace('command: run', 'argv: [run, "${{ sample }}"]') +
          '    scatter: [sample]\n',
      ),
    ).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:10: steps.align.argv.1: \${{ sample }}: an array job has one argv and environment for all its items; use command, or a name that does not depend on the item"
    `);
  });
  it('uses a field that an item lacks', () => {
    expect(
      refusalOf(
        HEAD +
          'scatter: { sample: [{ name: a, lane: 1 }, { name: b }] }\n' +
          STEP.replace('run', 'run ${{ sample.lane }}') +
          '    scatter: [sample]\n',
      ),
    ).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:10: steps.align.command: \${{ sample.lane }}: the item b has no field lane"
    `);
  });
  it('leaves the folder of the outputs', () => {
    expect(refusalOf(HEAD + STEP + '    outputs: { bam: ../a.bam }\n')).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:10: steps.align.outputs.bam: give a path relative to the folder of the outputs, without "..""
    `);
  });
  it('has an absolute output', () => {
    expect(refusalOf(HEAD + STEP + '    outputs: { bam: /etc/passwd }\n')).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:10: steps.align.outputs.bam: give a path relative to the folder of the outputs, without "..""
    `);
  });
  it('has two outputs in one place', () => {
    expect(refusalOf(HEAD + STEP + '    outputs: { a: x.bam, b: x.bam }\n')).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:10: steps.align.outputs.b: has the same path as outputs.a"
    `);
  });
  it('reads from the web', () => {
    expect(refusalOf(HEAD + STEP + '    inputs: { reads: https://example.com/a.fq }\n')).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:10: steps.align.inputs.reads: only s3:// addresses and paths relative to dataPath can be read"
    `);
  });
  it('reads outside its data path', () => {
    expect(refusalOf(HEAD + STEP + '    inputs: { reads: ../other/a.fq }\n')).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:10: steps.align.inputs.reads: the path must not contain "..""
    `);
  });
  it('reads from S3 with a shared file system', () => {
    expect(
      refusalOf(
        HEAD + 'sharedFileSystem: { type: host, hostPath: /fsx }\n' + STEP + '    inputs: { reads: s3://data/a.fq }\n',
      ),
    ).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:11: steps.align.inputs.reads: with sharedFileSystem nothing is copied: give a path on the file system"
    `);
  });
  it('has more items than a launch takes', () => {
    expect(
      refusalOf(
        HEAD +
          `scatter: { sample: [${Array.from({ length: 1001 }, (_, i) => `s${i}`).join(', ')}], region: [${Array.from({ length: 100 }, (_, i) => `r${i}`).join(', ')}] }\n` +
          STEP +
          '    scatter: [sample, region]\n',
      ),
    ).toMatchInlineSnapshot(`
      "InvalidSheetError
      sheet.yaml:11: steps.align.scatter: 100100 items; at most 100000 in one launch. Split the sheet."
    `);
  });
});

it('a good sheet is accepted', () => {
  expect(refusalOf(HEAD + STEP)).toBe('accepted');
});
