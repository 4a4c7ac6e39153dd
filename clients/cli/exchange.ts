/**
 * `longhaul launch export` and `import`: between sheets of durable steps and Snakefiles. Neither launches anything.
 *
 * @module
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { discover } from '../../lib/launch/discover.ts';
import { planLaunch } from '../../workflows/launch/plan-launch.ts';
import { parseSheet, withLine } from '../../workflows/launch/sheet/parse.ts';
import { SheetError } from '../../workflows/launch/sheet/problems.ts';
import { fromSnakemake, ImportError } from '../launch/import/from-snakemake.ts';
import { readDag } from '../launch/import/read-dag.ts';
import { exportSnakefile, hasSteps } from '../launch/sheets.ts';
import { CliError, EXIT, print, withContext } from './context.ts';

interface ExportOptions {
  snakemake?: boolean;
  out: string;
  data: string;
  json?: boolean;
}

export function addExportCommand(launch: Command): void {
  launch
    .command('export')
    .argument('<sheet>', 'YAML or JSON file with steps')
    .description('write the steps of a sheet as a Snakefile; launches nothing')
    .option('--snakemake', 'as Snakefile and config.yaml for Snakemake 9 (the only form so far)')
    .option('--out <folder>', 'where to write them', '.')
    .option('--data <folder>', 'where the files below dataPath lie when Snakemake runs', 'data')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      [
        '',
        'Examples:',
        '  longhaul launch export cohort.yaml --snakemake --out workflow',
        '  aws s3 sync s3://bucket/cohort-7/ data && snakemake --snakefile workflow/Snakefile --configfile workflow/config.yaml --cores 4',
      ].join('\n'),
    )
    .action(exportSheet);
}

async function exportSheet(file: string, options: ExportOptions): Promise<void> {
  if (!options.snakemake) throw new CliError('say what to write: --snakemake', EXIT.usage);
  const { sheet, lineOf } = parseSheet(await readText(file), file);
  if (!hasSteps(sheet))
    throw new CliError(`${file}: only steps can be exported; this sheet has a definition of its own`, EXIT.usage);
  const { snakefile, config } = await exportSnakefile({ sheet, lineOf }, file, options.data, (sheet) =>
    withContext(({ aws }) => discover(aws.s3, sheet, () => {})),
  );
  const files = { snakefile: join(options.out, 'Snakefile'), config: join(options.out, 'config.yaml') };
  await mkdir(options.out, { recursive: true });
  await writeFile(files.snakefile, snakefile);
  await writeFile(files.config, config);
  print(options.json, files, () => [
    `${files.snakefile} and ${files.config} are written`,
    `run it: snakemake --snakefile ${files.snakefile} --configfile ${files.config} --cores <n>`,
    `with the files of ${sheet.dataPath} below ${options.data}, and the tools of the images on PATH`,
  ]);
}

interface ImportCommand {
  image: string;
  consumer: string;
  dataPath: string;
  launchId?: string;
  configfile: string[];
  directory: string;
  python?: string;
  out?: string;
  json?: boolean;
}

const several = (value: string, before: string[]): string[] => [...before, value];

export function addImportCommand(launch: Command): void {
  launch
    .command('import')
    .argument('<Snakefile>')
    .argument('[target...]', 'what is wanted; the first rule where nothing is named')
    .description('write the jobs of a Snakefile as a sheet of durable steps, where that is exact; launches nothing')
    .requiredOption('--image <image>', 'image of the rules that name no container')
    .requiredOption('--consumer <name>', 'who the launch is for')
    .requiredOption('--data-path <address>', 's3://bucket/prefix/ that will hold what lies in the working folder')
    .option('--launch-id <id>', 'identity of the launch')
    .option('--configfile <file>', 'a config file of the workflow; may be given several times', several, [])
    .option('--directory <folder>', 'the working folder, with the inputs', '.')
    .option('--python <program>', 'a Python that has Snakemake; default: that of the snakemake on PATH')
    .option('--out <file>', 'where to write the sheet; default: standard output')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      [
        '',
        'Snakemake reads the Snakefile, and so runs its Python code: import only what you trust. What only Snakemake can run',
        '(script:, run:, checkpoints, folders as outputs, ...) is refused with the reason: launch it with workflowType: snakemake.',
        '',
        'Examples:',
        '  longhaul launch import Snakefile --image tools:1 --consumer lab-a --data-path s3://bucket/cohort-7/ --out sheet.yaml',
        '  aws s3 sync data s3://bucket/cohort-7/data && longhaul launch submit sheet.yaml --watch',
      ].join('\n'),
    )
    .action(importSnakefile);
}

async function importSnakefile(snakefile: string, targets: string[], options: ImportCommand): Promise<void> {
  try {
    await readText(snakefile);
    const { directory, python } = options;
    const jobs = await readDag({
      snakefile,
      directory,
      targets,
      configfiles: options.configfile,
      ...(python !== undefined && { python }),
    });
    const { launchId } = options;
    const sheet = fromSnakemake(jobs, { ...options, ...(launchId !== undefined && { launchId }) });
    const text = stringify(sheet, { lineWidth: 0 });
    check(text, options.out ?? 'the sheet');
    if (options.out !== undefined) {
      await mkdir(dirname(options.out), { recursive: true });
      await writeFile(options.out, text);
    }
    const steps = Object.keys(sheet.steps).length;
    if (options.out === undefined && !options.json) process.stdout.write(text);
    else
      print(options.json, { jobs: jobs.length, steps, sheet: options.out ?? sheet }, () => [
        `${options.out}: ${steps} steps for ${jobs.length} jobs`,
        `check it: longhaul launch preflight ${options.out}`,
      ]);
  } catch (error) {
    if (error instanceof ImportError) throw new CliError(`${snakefile}: ${error.message}`);
    throw error;
  }
}

/** What is written can be launched. */
function check(text: string, file: string): void {
  const { sheet, lineOf } = parseSheet(text, file);
  const planned = planLaunch(sheet, {
    launchId: sheet.launchId ?? 'imported',
    attempt: 1,
    computeService: 'batch',
    defaultResultsPath: sheet.dataPath,
    discovered: {},
  });
  if ('problems' in planned)
    throw new SheetError(
      file,
      planned.problems.map((problem) => withLine(problem, lineOf)),
    );
}

async function readText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CliError(`${file}: ${error.code === 'ENOENT' ? 'there is no such file' : error.message}`, EXIT.usage);
  });
}
