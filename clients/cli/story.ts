/**
 * `longhaul story …`: one more now, what there is, and how it went.
 *
 * @module
 */
import { type Command, InvalidArgumentError } from 'commander';
import { type StoryName, storyIdOf } from '../../workflows/story/model.ts';
import { workflowPage } from '../pages.ts';
import { cancelStory } from '../story/cancel.ts';
import { type Followed, followStory } from '../story/follow.ts';
import { unrecordedStory } from '../story/refused.ts';
import { startStory } from '../story/start.ts';
import { bookOf, linkTo, storyDetail } from '../story/view.ts';
import type { StoryWorld } from '../story/world.ts';
import { CliError, type Context, EXIT, print } from './context.ts';
import { addCardCommands } from './story-cards.ts';
import { addFamilyCommands } from './story-families.ts';
import { drawBook, drawDetail, showStory } from './story-picture.ts';
import { type Json, type KeptWorld, parseStoryId, withKept, withStories } from './story-world.ts';

/** Of a family, the newest first. */
const USUAL = 14;
const MOST = 200;

interface NewOptions extends Json {
  night?: string;
  watch?: boolean;
}

interface ListOptions extends Json {
  limit: number;
  before?: string;
}

export function addStoryCommands(program: Command): void {
  const story = program.command('story').description('bedtime stories: every night for a family, or one more now');
  story
    .command('new')
    .argument('<family>')
    .description('make one more story now')
    .option('--night <date>', 'for a night that has none, or whose story failed: its local date, such as 2026-11-26')
    .option('--watch', 'stay and show it until nothing more comes')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  longhaul story new moon --watch\n  longhaul story new moon --night 2026-11-26',
    )
    .action((family: string, options: NewOptions) => withStories((world) => begin(world, family, options)));
  story
    .command('list')
    .argument('[family]', 'default: every family')
    .description('the book: titles, what came with them, what they cost, and whether they can be read still')
    .option('--limit <n>', `so many of each family, the newest first (default: ${USUAL})`, few, USUAL)
    .option('--before <time>', 'go on after a page: its "next"')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExamples:\n  longhaul story list\n  longhaul story list moon --limit 60 --json')
    .action((family: string | undefined, options: ListOptions) => withKept((world) => list(world, family, options)));
  story
    .command('show')
    .argument('<family/night>')
    .description('status, parts, verdicts of moderation, what was paid for; never the text')
    .option('--link', 'with a link that opens the story for whoever has it')
    .option('--watch', 'stay until nothing more comes')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  longhaul story show moon/2026-11-26\n  longhaul story show moon/2026-11-26 --link',
    )
    .action((id: string, options: Json & { link?: boolean; watch?: boolean }) =>
      options.watch
        ? withStories((world) => watch(world, parseStoryId(id), options))
        : withKept((world, context) => show(world, context, id, options)),
    );
  story
    .command('cancel')
    .argument('<family/night>')
    .description('end one that is being made; what is there of it stays')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  longhaul story cancel moon/2026-11-26')
    .action((id: string, options: Json) => withStories((world) => cancel(world, parseStoryId(id), options)));
  addFamilyCommands(story);
  addCardCommands(story);
}

function few(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > MOST)
    throw new InvalidArgumentError(`expected a whole number from 1 to ${MOST}`);
  return value;
}

async function begin(world: StoryWorld, family: string, options: NewOptions): Promise<void> {
  const since = Date.now();
  const started = await startStory(world, family, options.night, since);
  const { storyId, workflowId, outcome } = started;
  const temporalUi = workflowPage(world.settings, workflowId);
  const words = {
    started: `story ${storyId} is begun`,
    running: `story ${storyId} is being made already`,
    existing: `story ${storyId} has been made already: there is nothing to do; without --night there is another one`,
  };
  if (!options.watch || !options.json)
    print(options.json, { ...started, temporalUi }, () => [
      words[outcome],
      `watch it: longhaul story show ${storyId} --watch`,
      `Temporal Web UI: ${temporalUi}`,
    ]);
  if (options.watch) await watch(world, { ...parseStoryId(storyId), ...(outcome === 'started' && { since }) }, options);
}

async function watch(
  world: Pick<StoryWorld, 'client' | 'stories'>,
  which: { family: string; night: string; since?: number },
  options: Json,
): Promise<void> {
  const pictures = followStory(world, which);
  let last: Followed | undefined;
  if (options.json) for await (const picture of pictures) last = picture;
  else last = await showStory(pictures, process.stdout);
  if (options.json) console.log(JSON.stringify(last));
  if (last?.status !== 'COMPLETE') process.exitCode = EXIT.failed;
}

async function list(world: KeptWorld, family: string | undefined, options: ListOptions): Promise<void> {
  const names = family === undefined ? (await world.families.list()).map((one) => one.family) : [family];
  const { limit, before } = options;
  const now = Date.now();
  const books = await Promise.all(
    names.map(async (name) => ({
      family: name,
      ...(await bookOf(world, name, { limit, ...(before !== undefined && { before }) }, now)),
    })),
  );
  if (family !== undefined && books[0]?.stories.length === 0 && !(await world.families.get(family)))
    throw new CliError(`there is no family ${family}: longhaul story families lists those there are`);
  print(options.json, family === undefined ? { families: books } : books[0], () =>
    books.length === 0
      ? 'no families yet: longhaul story families add <family> --time-zone Europe/Berlin'
      : books.flatMap((book) => [
          ...drawBook(book.family, book),
          ...(book.next === undefined ? [] : [`more: longhaul story list ${book.family} --before ${book.next}`]),
        ]),
  );
}

async function show(world: KeptWorld, context: Context, id: string, options: Json & { link?: boolean }): Promise<void> {
  const { family, night } = parseStoryId(id);
  const now = Date.now();
  const kept = await storyDetail(world, family, night, now);
  const story =
    kept ??
    (await unrecordedStory({ client: (await context.temporal()).client, settings: world.settings }, family, night));
  if (!story)
    throw new CliError(`there is no story ${family}/${night}: longhaul story list ${family} has those there are`);
  const link = options.link ? await linkTo(world, family, night, now) : undefined;
  print(options.json, { ...story, ...(link && { link }) }, () => drawDetail(story, link?.url));
}

async function cancel(world: StoryWorld, which: StoryName, options: Json): Promise<void> {
  const { family, night } = which;
  const storyId = storyIdOf(family, night);
  const asked = await cancelStory(world, which, Date.now());
  if (asked.outcome === 'refused') throw new CliError(asked.reason);
  if (!options.json) console.log(`ending story ${storyId} …`);
  let last: Followed | undefined;
  for await (const picture of followStory(world, which)) last = picture;
  const kept = await storyDetail(world, family, night, Date.now());
  const { readable = false, parts } = kept ?? {};
  const status = last?.status;
  print(options.json, { storyId, status, readable, ...(parts && { parts }) }, () =>
    status === 'CANCELLED'
      ? [
          `story ${storyId} is CANCELLED; ${readable ? 'its text stays for two days' : 'it had no text yet'}`,
          `go on with it: longhaul story new ${family} --night ${night}`,
        ]
      : `story ${storyId} is ${status}: it had ended before the cancellation came`,
  );
  if (status !== 'CANCELLED') process.exitCode = EXIT.failed;
}
