/**
 * Families and stories as text.
 *
 * @module
 */
import pc from 'picocolors';
import { localDate, localTimeOf } from '../../lib/story/local-time.ts';
import { PART_NAMES, partWords } from '../../workflows/story/details.ts';
import { PARTS, type PartState, type StoryProgress } from '../../workflows/story/model.ts';
import type {
  Book,
  BookRow,
  FamilyDetail,
  FamilyView,
  ScheduleView,
  StoryDetail,
  Subscription,
} from '../live/stories.ts';
import type { Followed } from '../story/follow.ts';
import { table } from './context.ts';
import { showPictures } from './live.ts';
import { paint, seconds } from './picture.ts';

const PART_PAINT: Partial<Record<PartState, (text: string) => string>> = {
  READY: pc.green,
  STOCK: pc.green,
  FAILED: pc.red,
  UNCERTAIN: pc.yellow,
  PENDING: pc.dim,
};
const paintPart = (state: PartState, text: string): string => (PART_PAINT[state] ?? String)(text);

/** `2026-11-26 19:15`, there. */
export const localMoment = (timeZone: string, iso: string): string =>
  `${localDate(Date.parse(iso), timeZone)} ${localTimeOf(timeZone, Date.parse(iso))}`;

export function drawSchedule({ timeZone, schedule }: { timeZone: string; schedule: ScheduleView }): string[] {
  const { state, next, until } = schedule;
  if (state === 'missing') return [pc.red('there is no schedule: "longhaul story families resume" makes it')];
  if (state === 'paused') return [pc.yellow('paused: "longhaul story families resume" goes on')];
  return [
    ...(until === undefined ? [] : [pc.yellow(`paused until ${until}`)]),
    ...next.map((time) => `${localMoment(timeZone, time)}  ${pc.dim(`${timeZone}, ${time.slice(0, 16)}Z`)}`),
  ];
}

const nextNight = ({ timeZone, schedule: { state, next, until } }: FamilyView): string => {
  if (state !== 'active') return state;
  const [first] = next;
  return first === undefined
    ? '–'
    : `${localMoment(timeZone, first)}${until === undefined ? '' : ' (paused until then)'}`;
};

export const drawFamilies = (families: readonly FamilyView[]): string[] =>
  families.length === 0
    ? ['no families yet: longhaul story families add <family> --time-zone Europe/Berlin']
    : table(
        ['FAMILY', 'AT', 'TIME ZONE', 'LANGUAGE', 'VOICE', 'NEXT NIGHT'],
        families.map((family) => [
          family.family,
          family.at,
          family.timeZone,
          family.language,
          `${family.voice}, ${family.engine}`,
          nextNight(family),
        ]),
      );

export function drawFamily(family: FamilyDetail, subscriptions: readonly Subscription[]): string[] {
  const facts: [string, string][] = [
    ['every night', `${family.at}, ${family.timeZone}; missed ones within ${family.catchupMinutes} min`],
    ['language', `${family.language}, spoken by ${family.voice} (${family.engine})`],
    [
      'story',
      `at least ${family.minWords} words; the mail ${family.waitForAll ? 'waits for picture and voice' : 'goes with the text'}`,
    ],
    ['limits', `${family.storyLimitUsd} USD a story, ${family.monthLimitUsd} USD a month`],
    [family.month.month, `${family.month.committedUsd} USD spent or being spent`],
    ['cast', `${family.characters} characters, ${family.scenes} scenes`],
    ['mail', subscriptions.length === 0 ? 'nobody' : subscriptions.map(describeSubscription).join(', ')],
  ];
  const width = Math.max(...facts.map(([name]) => name.length));
  return [
    pc.bold(family.family),
    ...facts.map(([name, fact]) => `  ${name.padEnd(width)}  ${fact}`),
    '',
    ...drawSchedule(family),
  ];
}

const describeSubscription = ({ address, confirmed }: Subscription): string =>
  confirmed ? address : `${address} (has not answered yet)`;

export function drawBook(family: string, { stories }: Book): string[] {
  if (stories.length === 0) return [`${family} has no stories yet: longhaul story new ${family}`];
  return table(
    ['STORY', 'STATUS', 'PARTS', 'COST', 'TEXT', 'TITLE'],
    stories.map((row) => [
      row.storyId,
      row.status,
      partsOf(row),
      row.cost === undefined ? '–' : `${row.cost} USD`,
      row.readable ? 'readable' : 'gone',
      `${row.title ?? '–'}${row.flagged ? ' (something was flagged)' : ''}`,
    ]),
  );
}

/** What there is. */
function partsOf({ parts }: BookRow): string {
  const there = PARTS.filter((part) => parts?.[part] === 'READY' || parts?.[part] === 'STOCK').map(
    (part) => PART_NAMES[part],
  );
  return there.length === 0 ? '–' : there.join(' ');
}

export function drawDetail(story: StoryDetail, link?: string): string[] {
  const { storyId, status, title, words, cost, details, parts, verdicts, usage, error } = story;
  const lines = [`${pc.bold(storyId)}  ${paint(status)}${title === undefined ? '' : `  ${title}`}`];
  if (words !== undefined)
    lines.push(`  ${words} words${story.readable ? `, readable until ${story.expiresAt}` : ', gone'}`);
  for (const part of PARTS) {
    const detail = details?.[part];
    const state = detail?.state ?? parts?.[part];
    if (!state) continue;
    const more = [detail?.seconds === undefined ? '' : `${Math.round(detail.seconds)} s`, detail?.reason ?? ''];
    const text = [partWords(part, state), ...more.filter(Boolean)].join(', ');
    lines.push(`  ${PART_NAMES[part].padEnd(8)} ${paintPart(state, text)}`);
  }
  const paid = Object.entries(usage).map(([stage, { service, model, ...units }]) => [
    stage,
    `${service} ${model}`,
    unitsOf(units),
  ]);
  if (paid.length > 0) lines.push('', ...table(['PAID', 'BY', 'UNITS'], paid).map((line) => `  ${line}`));
  if (cost !== undefined)
    lines.push(`  ${cost} USD${story.unpriced ? `, without ${story.unpriced.join(', ')}: no price is known` : ''}`);
  const looked = Object.entries(verdicts).map(([of, { model, flagged, categories }]) => [
    of,
    model,
    flagged ? `flagged: ${categories.join(', ')}` : 'good',
  ]);
  if (looked.length > 0) lines.push('', ...table(['MODERATED', 'BY', 'VERDICT'], looked).map((line) => `  ${line}`));
  if (error) lines.push('', pc.red(error.type), error.message);
  const [page] = story.links;
  if (page?.href !== undefined) lines.push('', `${page.label}: ${page.href}`);
  if (link !== undefined) lines.push(`whoever has this link can read it: ${link}`);
  return lines;
}

const UNITS: Readonly<Record<string, string>> = {
  inputTokens: 'input tokens',
  cachedInputTokens: 'of them cached',
  outputTokens: 'output tokens',
  imageTokens: 'of them pictures',
  pictures: 'pictures',
  characters: 'characters',
};

const unitsOf = (usage: Readonly<Record<string, unknown>>): string =>
  Object.entries(UNITS)
    .flatMap(([name, words]) => (typeof usage[name] === 'number' ? `${usage[name]} ${words}` : []))
    .join(', ');

/** While it is watched; `now` in epoch ms. */
export function drawFollowed(picture: Followed, now: number): string[] {
  const { storyId, status, words, parts, begun, error } = picture;
  const lines = [
    `${pc.bold(storyId)}  ${paint(status)}  ${seconds(now - begun)}`,
    `  text     ${words === undefined ? pc.dim('under way') : pc.green(`${words} words`)}`,
    ...PARTS.map((part) => `  ${PART_NAMES[part].padEnd(8)} ${paintPart(parts[part], partWords(part, parts[part]))}`),
  ];
  if (error) lines.push('', pc.red(error.type), error.message);
  return lines;
}

export const followedLine = ({ status, words, parts }: StoryProgress): string =>
  [
    status,
    ...(words === undefined ? [] : [`${words} words`]),
    ...PARTS.map((part) => `${PART_NAMES[part]} ${parts[part].toLowerCase()}`),
  ].join(' | ');

/** Shows every picture of a story and returns the last one. */
export const showStory = (
  pictures: AsyncIterable<Followed>,
  stream: NodeJS.WriteStream,
): Promise<Followed | undefined> =>
  showPictures<Followed>(pictures, stream, { draw: drawFollowed, line: followedLine, begun: ({ begun }) => begun });
