/**
 * `longhaul up`, `down` and `doctor`: the embedded platform.
 *
 * @module
 */
import { type Command, InvalidArgumentError } from 'commander';
import pc from 'picocolors';
import { startLonghaul } from '../../infra/local/longhaul.ts';
import { dropState, findPlatform, type Platform, stopPlatform } from '../../infra/local/platform/index.ts';
import { tools } from '../../infra/local/tools/index.ts';
import { CliError, EXIT, print, table } from './context.ts';
import { showProgress } from './startup.ts';

interface UpOptions {
  name: string;
  json?: boolean;
  temporalPort?: number;
  temporalUiPort?: number;
  gatewayPort?: number;
  awsPort?: number;
  dynamodbPort?: number;
  openaiPort?: number;
}

export function addPlatformCommands(program: Command): void {
  const name = process.env.LONGHAUL_PLATFORM ?? 'default';
  program
    .command('up')
    .description(
      'start the embedded platform: Temporal, the stand-ins, workers, gateway and console; stays until Ctrl-C',
    )
    .option('--name <name>', 'platforms of different names run side by side', name)
    .option('--temporal-port <port>', 'Temporal (7233)', port)
    .option('--temporal-ui-port <port>', 'Temporal Web UI (8233)', port)
    .option('--aws-port <port>', 'AWS endpoint (4577)', port)
    .option('--dynamodb-port <port>', 'DynamoDB Local (4578)', port)
    .option('--openai-port <port>', 'OpenAI endpoint (4579)', port)
    .option('--gateway-port <port>', 'gateway and console (8780)', port)
    .option('--json', 'print one JSON object once it runs')
    .addHelpText('after', '\nExamples:\n  longhaul up\n  longhaul up --name second --json')
    .action(up);
  program
    .command('down')
    .description('stop the embedded platform')
    .option('--name <name>', 'which one', name)
    .option('--drop', 'also remove its state: workflows, tables, objects, queues and logs together')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExamples:\n  longhaul down\n  longhaul down --drop')
    .action(down);
  program
    .command('doctor')
    .description('what is there, what will be fetched, what is missing and how to get it')
    .option('--json', 'print a JSON array')
    .addHelpText('after', '\nExample:\n  longhaul doctor')
    .action(doctor);
}

function port(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 65_535)
    throw new InvalidArgumentError('expected a port, 1 to 65535');
  return number;
}

async function up(options: UpOptions): Promise<void> {
  const ports = {
    ...(options.temporalPort !== undefined && { temporal: options.temporalPort }),
    ...(options.temporalUiPort !== undefined && { temporalUi: options.temporalUiPort }),
    ...(options.gatewayPort !== undefined && { gateway: options.gatewayPort }),
    ...(options.awsPort !== undefined && { aws: options.awsPort }),
    ...(options.dynamodbPort !== undefined && { dynamodb: options.dynamodbPort }),
    ...(options.openaiPort !== undefined && { openai: options.openaiPort }),
  };
  const shown = showProgress(process.stderr);
  const platform = await startLonghaul({ name: options.name, ports, progress: shown.progress }).finally(shown.end);
  print(options.json, describe(platform), () => lines(platform));
  if (!platform.reused) await new Promise(() => setInterval(() => {}, 3_600_000));
}

const describe = ({ name, urls, environment, stateDirectory, reused }: Platform) => ({
  name,
  urls,
  environment,
  stateDirectory,
  reused,
});

function lines(platform: Platform): string[] {
  const { urls, stateDirectory, reused, name } = platform;
  return [
    pc.bold(reused ? `The platform ${name} is running already.` : `The platform ${name} is running. Ctrl-C ends it.`),
    '',
    ...(urls.gateway
      ? [`  Console          ${pc.bold(urls.gateway)}   (open to everybody on this machine, and to nobody else)`, '']
      : []),
    `  Temporal         ${urls.temporal}`,
    ...(urls.temporalUi ? [`  Temporal Web UI  ${urls.temporalUi}`] : []),
    `  AWS endpoint     ${urls.aws}`,
    `  OpenAI endpoint  ${urls.openai}`,
    `  State            ${stateDirectory}   (all of it survives a restart together; "longhaul down --drop" removes it)`,
    '',
    'In another terminal: npx longhaul launch submit <sheet> --watch',
  ];
}

async function down(options: { name: string; drop?: boolean; json?: boolean }): Promise<void> {
  const running = await findPlatform(options.name);
  const stopped = await stopPlatform(options.name);
  if (options.drop) await dropState(options.name);
  print(options.json, { name: options.name, stopped, dropped: options.drop === true }, () =>
    [
      stopped ? `The platform ${options.name} is stopped.` : `The platform ${options.name} was not running.`,
      options.drop
        ? 'Its state is removed.'
        : running
          ? `Its state is kept in ${running.stateDirectory}.`
          : 'Its state is kept.',
    ].join(' '),
  );
}

async function doctor(options: { json?: boolean }): Promise<void> {
  const findings = await tools.doctor();
  const mark = { ok: pc.green('✔'), 'will be fetched': pc.cyan('↓'), missing: pc.red('✖') } as const;
  print(options.json, findings, () => {
    const rows = findings.map(({ name, needed, version, found, remedy }) => [
      `  ${name}`,
      needed,
      version ?? '',
      [found, remedy].filter(Boolean).join('; '),
    ]);
    return table(['  NAME', 'FOR', 'VERSION', 'WHERE, OR WHAT TO DO'], rows).map((line, index) =>
      index === 0 ? pc.dim(line) : `${mark[findings[index - 1]?.state ?? 'ok']}${line.slice(1)}`,
    );
  });
  const missing = findings.filter((finding) => finding.needed === 'demo' && finding.state === 'missing');
  if (missing.length > 0)
    throw new CliError(`missing: ${missing.map((finding) => finding.name).join(', ')}`, EXIT.failed);
}
