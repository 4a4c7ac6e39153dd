/**
 * The `longhaul` command line.
 *
 * @module
 */
import { Command } from 'commander';
import pc from 'picocolors';
import { ToolError } from '../../infra/local/tools/index.ts';
import { RequestFileError } from '../../lib/restore/request-file.ts';
import { SettingsError } from '../../lib/settings.ts';
import { SheetError } from '../../workflows/launch/sheet/problems.ts';
import { addApproveCommand } from './approve.ts';
import { CliError, EXIT } from './context.ts';
import { addCostCommands } from './cost.ts';
import { addLaunchCommands } from './launch.ts';
import { addPlatformCommands } from './platform.ts';
import { addRestoreCommands } from './restore.ts';
import { addStoryCommands } from './story.ts';
import { addWatchRunCommand } from './watch-run.ts';

const program = new Command('longhaul')
  .description('Runs work on AWS that must outlive any process, and shows it while it runs.')
  .showHelpAfterError('(--help shows how to use it)')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? EXIT.done : EXIT.usage));
addPlatformCommands(program);
addLaunchCommands(program);
addRestoreCommands(program);
addApproveCommand(program);
addWatchRunCommand(program);
addCostCommands(program);
addStoryCommands(program);
for (const command of withAllBelow(program)) command.copyInheritedSettings(program);

program.parseAsync().then(
  // Connections that linger must not keep the command from ending.
  () => process.exit(),
  (error: unknown) => {
    console.error(`${pc.red('error')}: ${describe(error)}`);
    process.exit(exitCodeOf(error));
  },
);

function withAllBelow(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withAllBelow)];
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const known = [CliError, SheetError, SettingsError, ToolError, RequestFileError].some(
    (type) => error instanceof type,
  );
  if (error instanceof SheetError) return `${error.type}\n${error.message}`;
  return known || process.env.LONGHAUL_DEBUG !== '1' ? error.message : (error.stack ?? error.message);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CliError) return error.exitCode;
  return error instanceof SheetError || error instanceof SettingsError ? EXIT.usage : EXIT.failed;
}
