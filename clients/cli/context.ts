/**
 * What the commands share: settings, clients, output, exit codes.
 *
 * @module
 */

import { findPlatform } from '../../infra/local/platform/index.ts';
import { type AwsClients, createAwsClients } from '../../lib/aws-clients.ts';
import { readSettings, type Settings } from '../../lib/settings.ts';
import { FamilyStore } from '../../lib/store/families.ts';
import { LaunchStore } from '../../lib/store/launches.ts';
import { LedgerStore } from '../../lib/store/ledger.ts';
import { RestoreStore } from '../../lib/store/restores.ts';
import { StepStore } from '../../lib/store/steps.ts';
import { StoryStore } from '../../lib/store/stories.ts';
import { tableNames } from '../../lib/store/tables.ts';
import { connectTemporal, type TemporalClient } from '../../lib/temporal/client.ts';
import { awsProblem } from './aws-problems.ts';

/** Exit codes: 0 done, 1 failed, 2 wrong use. */
export const EXIT = { done: 0, failed: 1, usage: 2 } as const;

/** Ends the command with a message for the user instead of a stack trace. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}

export interface Context {
  settings: Settings;
  aws: AwsClients;
  launches: LaunchStore;
  steps: StepStore;
  restores: RestoreStore;
  ledger: LedgerStore;
  stories: StoryStore;
  families: FamilyStore;
  /** Connects at first use: reading the registry needs no Temporal server. */
  temporal(): Promise<TemporalClient>;
}

/**
 * Runs a command with its clients and closes them afterwards.
 * @throws CliError also where AWS does not answer
 */
export async function withContext<T>(run: (context: Context) => Promise<T>): Promise<T> {
  await adoptPlatform();
  const settings = readSettings(process.env);
  const tables = tableNames(settings.tablePrefix);
  const aws = createAwsClients({ tables });
  let connected: Promise<TemporalClient> | undefined;
  try {
    return await run({
      settings,
      aws,
      launches: new LaunchStore(aws.dynamodb, tables),
      steps: new StepStore(aws.dynamodb, tables),
      restores: new RestoreStore(aws.dynamodb, tables),
      ledger: new LedgerStore(aws.dynamodb, tables),
      stories: new StoryStore(aws.dynamodb, tables),
      families: new FamilyStore(aws.dynamodb, tables),
      temporal: () => {
        connected ??= connectTemporal(settings);
        return connected;
      },
    });
  } catch (error) {
    const problem = awsProblem(error);
    throw problem === undefined ? error : new CliError(problem);
  } finally {
    aws.destroy();
    await connected?.then((temporal) => temporal.close()).catch(() => {});
  }
}

/** Who has named no server and no account means the embedded platform, if one is running. */
async function adoptPlatform(): Promise<void> {
  const named = ['TEMPORAL_ADDRESS', 'AWS_ENDPOINT_URL', 'AWS_PROFILE', 'AWS_ACCESS_KEY_ID', 'AWS_ROLE_ARN'];
  if (named.some((name) => process.env[name])) return;
  const name = process.env.LONGHAUL_PLATFORM ?? 'default';
  const platform = await findPlatform(name);
  if (!platform) {
    throw new CliError(
      `the embedded platform ${name} is not running: start it with "longhaul up", or set TEMPORAL_ADDRESS and the AWS settings of your account`,
    );
  }
  Object.assign(process.env, platform.environment);
  if (platform.urls.temporalUi) process.env.TEMPORAL_UI_URL ??= platform.urls.temporalUi;
}

/** Prints one JSON object, or the lines for people. */
export function print(json: boolean | undefined, value: unknown, lines: () => string | readonly string[]): void {
  if (json) return console.log(JSON.stringify(value));
  const text = lines();
  console.log(typeof text === 'string' ? text : text.join('\n'));
}

/** Columns as wide as their widest cell; the last is left as it is. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  return [header, ...rows].map((row) =>
    row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join('  '),
  );
}
