/**
 * `longhaul story families …`: who gets a story every night, when, in which voice, for how much.
 *
 * @module
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import pc from 'picocolors';
import { SPEECH_ENGINES } from '../../lib/story/document.ts';
import type { FamilyChanged, FamilySettings, ScheduleView } from '../live/stories.ts';
import {
  addFamily,
  backfillFamily,
  familySchedule,
  listFamilies,
  pauseFamily,
  removeFamily,
  resumeFamily,
  setFamily,
  showFamily,
  subscribeTo,
  subscriptionsOf,
} from '../story/families.ts';
import { DEFAULTS } from '../story/settings.ts';
import { CliError, EXIT, print } from './context.ts';
import { drawFamilies, drawFamily, drawSchedule, localMoment } from './story-picture.ts';
import { type Json, withStories } from './story-world.ts';

interface SettingOptions
  extends Json,
    Partial<Omit<FamilySettings, 'storyLimitUsd' | 'monthLimitUsd' | 'catchupMinutes'>> {
  storyLimit?: string;
  monthLimit?: string;
  catchup?: number;
}

export function addFamilyCommands(story: Command): void {
  const families = story.command('families').description('who gets a story every night');
  families
    .command('list', { isDefault: true })
    .description('all of them, with their next night')
    .option('--json', 'print one JSON object')
    .action((options: Json) =>
      withStories(async (world) => {
        const found = await listFamilies(world, Date.now());
        print(options.json, { families: found }, () => drawFamilies(found));
      }),
    );
  withFamily(families, 'show', 'settings, next nights, cast, and who gets the mail').action(
    (family: string, options: Json) =>
      withStories(async (world) => {
        const [detail, subscriptions] = await Promise.all([
          showFamily(world, family, Date.now()),
          subscriptionsOf(world, family),
        ]);
        print(options.json, { ...detail, subscriptions }, () => drawFamily(detail, subscriptions));
      }),
  );
  withSettings(
    withFamily(families, 'add', 'a story every night from now on, with characters and scenes to begin with'),
    true,
  )
    .addHelpText(
      'after',
      '\nExamples:\n  longhaul story families add moon --time-zone Europe/Berlin\n  longhaul story families add stern --time-zone Europe/Berlin --language de-DE --at 18:45 --wait-for-all',
    )
    .action((family: string, options: SettingOptions) =>
      withStories(async (world) =>
        tell(options, await addFamily(world, family, settingsOf(options), Date.now()), 'is added'),
      ),
    );
  withSettings(
    withFamily(families, 'set', 'changes what is named; also makes a schedule or topic that is missing'),
    false,
  )
    .addHelpText(
      'after',
      '\nExamples:\n  longhaul story families set moon --at 19:30\n  longhaul story families set moon --voice Joanna --month-limit 15',
    )
    .action((family: string, options: SettingOptions) =>
      withStories(async (world) =>
        tell(options, await setFamily(world, family, settingsOf(options), Date.now()), 'is set'),
      ),
    );
  withFamily(families, 'remove', 'its schedule, cast and subscriptions; stories stay until they expire')
    .option('--yes', 'really')
    .addHelpText('after', '\nExample:\n  longhaul story families remove moon --yes')
    .action((family: string, options: Json & { yes?: boolean }) => {
      if (!options.yes)
        throw new CliError(
          `this takes schedule, characters, scenes and subscriptions of ${family} away: add --yes if you mean it`,
          EXIT.usage,
        );
      return withStories(async (world) => {
        await removeFamily(world, family);
        print(
          options.json,
          { family, removed: true },
          () => `family ${family} is removed; its stories stay until they expire`,
        );
      });
    });
  withFamily(families, 'subscribe', 'sends the mail of every night to somebody')
    .argument('<e-mail>')
    .addHelpText('after', '\nExample:\n  longhaul story families subscribe moon name@example.org')
    .action((family: string, address: string, options: Json) =>
      withStories(async (world) => {
        await subscribeTo(world, family, address);
        print(options.json, { family, subscribed: 'pending' }, () => [
          'SNS sends a mail to that address now: stories come once the link in it has been opened',
          `longhaul story families show ${family} says who has`,
        ]);
      }),
    );
  addScheduleCommands(families);
}

function addScheduleCommands(families: Command): void {
  withFamily(families, 'schedule', 'the next nights, by the clocks there').action((family: string, options: Json) =>
    withStories(async (world) => {
      const found = await familySchedule(world, family, Date.now());
      const { timeZone, schedule } = found;
      const next = schedule.next.map((at) => ({ at, local: localMoment(timeZone, at) }));
      print(options.json, { family, timeZone, at: found.at, ...schedule, next }, () => drawSchedule(found));
    }),
  );
  withFamily(families, 'pause', 'no stories until it is resumed')
    .option('--until <date>', 'the first night again, a local date')
    .addHelpText(
      'after',
      '\nExamples:\n  longhaul story families pause moon\n  longhaul story families pause moon --until 2027-01-04',
    )
    .action((family: string, options: Json & { until?: string }) =>
      withStories(async (world) => {
        const schedule = await pauseFamily(world, family, options.until, Date.now());
        print(options.json, { family, ...schedule }, () => pausedText(family, schedule));
      }),
    );
  withFamily(families, 'resume', 'stories every night again').action((family: string, options: Json) =>
    withStories(async (world) => {
      await resumeFamily(world, family, Date.now());
      const found = await familySchedule(world, family, Date.now());
      print(options.json, { family, ...found.schedule }, () => drawSchedule(found));
    }),
  );
  withFamily(families, 'backfill', 'makes up for nights that had no story; those that have one keep it')
    .requiredOption('--from <date>', 'the first night, a local date')
    .requiredOption('--to <date>', 'the last night')
    .addHelpText('after', '\nExample:\n  longhaul story families backfill moon --from 2026-11-20 --to 2026-11-25')
    .action((family: string, { from, to, json }: Json & { from: string; to: string }) =>
      withStories(async (world) => {
        const { nights } = await backfillFamily(world, family, { from, to }, Date.now());
        print(json, { family, from, to, nights }, () => [
          `${nights === 1 ? 'that night is' : `these ${nights} nights are`} gone through; those without a story get one`,
          `longhaul story list ${family} shows them`,
        ]);
      }),
    );
}

const withFamily = (families: Command, name: string, description: string): Command =>
  families.command(name).argument('<family>').description(description).option('--json', 'print one JSON object');

function withSettings(command: Command, adds: boolean): Command {
  const usual = (value: string | number) => (adds ? ` (default: ${value})` : '');
  const zone = new Option('--time-zone <zone>', 'of the IANA database, such as Europe/Berlin');
  return command
    .addOption(adds ? zone.makeOptionMandatory() : zone)
    .option('--at <time>', `local time of day${usual(DEFAULTS.at)}`)
    .option('--language <tag>', `of text and voice, such as de-DE${usual(DEFAULTS.language)}`)
    .option('--voice <name>', `of Amazon Polly${adds ? ' (default: by the language)' : ''}`)
    .addOption(new Option('--engine <engine>', `of the voice${usual(DEFAULTS.engine)}`).choices(SPEECH_ENGINES))
    .option('--min-words <n>', `the story is at least so long${usual(DEFAULTS.minWords)}`, number)
    .option('--wait-for-all', 'the mail waits for picture and voice')
    .option('--no-wait-for-all', 'the mail goes as soon as the text is there')
    .option('--story-limit <usd>', `what one story may cost${usual(DEFAULTS.storyLimitUsd)}`)
    .option('--month-limit <usd>', `what all stories of a month may cost${usual(DEFAULTS.monthLimitUsd)}`)
    .option('--catchup <minutes>', `so late a night is made up for${usual(DEFAULTS.catchupMinutes)}`, number);
}

function number(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('expected a whole number');
  return Number(text);
}

const settingsOf = ({
  json: _json,
  storyLimit,
  monthLimit,
  catchup,
  ...rest
}: SettingOptions): Partial<FamilySettings> => ({
  ...rest,
  ...(storyLimit !== undefined && { storyLimitUsd: storyLimit }),
  ...(monthLimit !== undefined && { monthLimitUsd: monthLimit }),
  ...(catchup !== undefined && { catchupMinutes: catchup }),
});

function tell({ json }: Json, changed: FamilyChanged, what: string): void {
  const { family, at, timeZone, voice, language, warnings } = changed;
  print(json, changed, () => [
    `family ${family} ${what}: every night at ${at}, ${timeZone}, in ${language} by ${voice}`,
    ...drawSchedule({ timeZone, schedule: { ...changed.schedule, next: changed.schedule.next.slice(0, 1) } }),
    ...warnings.map((warning) => pc.yellow(warning)),
    ...(what === 'is added' ? [`who gets the mail: longhaul story families subscribe ${family} <e-mail>`] : []),
  ]);
}

const pausedText = (family: string, { until }: ScheduleView): string =>
  until === undefined
    ? `family ${family} gets no stories until: longhaul story families resume ${family}`
    : `family ${family} gets no stories before ${until}`;
