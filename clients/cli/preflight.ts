/**
 * `longhaul launch preflight`: what would go wrong with a sheet, found out without changing anything.
 *
 * @module
 */
import { readFile } from 'node:fs/promises';
import { type Command } from 'commander';
import pc from 'picocolors';
import { type Plan } from '../../workflows/launch/plan.ts';
import { CHECKS, type Check, type Finding, hasErrors, type Preflight } from '../../workflows/launch/preflight.ts';
import type { ParsedSheet } from '../../workflows/launch/sheet/parse.ts';
import { planSheet, preflightPlan } from '../launch/sheets.ts';
import { CliError, type Context, EXIT, print, withContext } from './context.ts';

const TITLES: Readonly<Record<Check, string>> = {
  image: 'Images',
  role: 'Roles',
  queue: 'Job queue',
  resources: 'Resources',
  limits: 'Limits',
  inputs: 'Inputs',
};

/** Places of findings that are settings, not fields of the sheet. */
const SETTING = /^(batchQueue|jobImage|jobRole|executionRole)$/;

export function addPreflightCommand(launch: Command): void {
  launch
    .command('preflight')
    .argument('<sheet>', 'YAML or JSON file')
    .description('check images, roles, queue, resources, limits and inputs of a sheet; changes nothing')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      [
        '',
        'Exit code 0 when there is no error (warnings do not count), 1 when there is one, 2 when the sheet itself is no good.',
        '',
        'Examples:',
        '  longhaul launch preflight cohort.yaml',
        '  longhaul launch preflight cohort.yaml --json | jq \'.findings[] | select(.level == "error")\'',
      ].join('\n'),
    )
    .action((file: string, options: { json?: boolean }) => withContext((context) => run(context, file, options)));
}

async function run(context: Context, file: string, options: { json?: boolean }): Promise<void> {
  const { parsed, plan } = await planFile(context, file);
  const found = await preflightPlan(context, plan);
  print(options.json, found, () => draw(found, file, parsed));
  if (hasErrors(found)) process.exitCode = EXIT.failed;
}

/**
 * As the launch is planned by a worker, with what `discover` finds now.
 * @param computeService instead of the sheet's
 * @throws CliError, SheetError
 */
export async function planFile(
  { settings, aws }: Context,
  file: string,
  computeService?: string,
): Promise<{ parsed: ParsedSheet; plan: Plan }> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CliError(`${file}: ${error.code === 'ENOENT' ? 'there is no such file' : error.message}`, EXIT.usage);
  });
  return planSheet({ settings, s3: aws.s3 }, text, file, computeService);
}

function draw(found: Preflight, file: string, { lineOf }: ParsedSheet): string[] {
  const lines: string[] = [];
  for (const check of CHECKS) {
    const findings = found.findings.filter((finding) => finding.check === check);
    if (findings.length === 0) continue;
    lines.push(pc.bold(TITLES[check]));
    for (const finding of findings) {
      const mark = finding.level === 'error' ? pc.red('✖ error') : pc.yellow('! warning');
      lines.push(`  ${mark}  ${placeOf(finding, file, lineOf)}`, `      ${finding.message}`);
      lines.push(`      ${pc.dim('remedy:')} ${finding.remedy}`);
    }
    lines.push('');
  }
  const errors = found.findings.filter(({ level }) => level === 'error').length;
  const warnings = found.findings.length - errors;
  const counted = `${count(errors, 'error')}, ${count(warnings, 'warning')}`;
  return [...lines, errors > 0 ? `${file}: ${counted}` : `${file} can be launched: ${counted}`];
}

function placeOf({ at }: Finding, file: string, lineOf: ParsedSheet['lineOf']): string {
  if (SETTING.test(at)) return `setting ${at}`;
  const line = lineOf(at.split('.'));
  return `${file}${line === undefined ? '' : `:${line}`}: ${at}`;
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
