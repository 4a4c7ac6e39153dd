/**
 * The cast of a family: its characters and scenes, of which each story draws two and one.
 *
 * @module
 */
import type { CardKind } from '../../lib/store/families.ts';
import type { Card } from '../../lib/story/document.ts';
import { cardIdOf, checkLooks, checkName } from '../../lib/story/names.ts';
import type { CardBody, CardView } from '../live/stories.ts';
import { StoryProblem } from './problem.ts';
import { type StoryWorld, theFamily } from './world.ts';

/** A story needs so many. */
export const LEAST: Readonly<Record<CardKind, number>> = { characters: 2, scenes: 1 };
export const MOST = 200;
export const CARD_PATTERN = '^[^\\s/?#%\\u0000-\\u001f]{1,60}$';

const WORDS: Readonly<Record<CardKind, string>> = { characters: 'character', scenes: 'scene' };

type Cast = Pick<StoryWorld, 'families'>;

/** @throws StoryProblem */
export async function listCards(world: Cast, kind: CardKind, family: string): Promise<CardView[]> {
  await theFamily(world, family);
  return (await world.families.cards(kind, family)).map(viewOf);
}

/** @throws StoryProblem, InvalidNameError */
export async function addCard(
  world: Cast,
  kind: CardKind,
  family: string,
  given: CardBody,
  now: number,
): Promise<CardView> {
  await theFamily(world, family);
  const name = checkName(kind, given.name);
  const card: Card = {
    family,
    card: cardIdOf(name),
    name,
    ...looksOf(given.looks),
    created_at: new Date(now).toISOString(),
  };
  const { length } = await world.families.cards(kind, family);
  if (length >= MOST)
    throw new StoryProblem('conflict', `family ${family} has ${length} ${kind} already`, 'remove one first');
  if (!(await world.families.putCard(kind, card)))
    throw new StoryProblem(
      'conflict',
      `family ${family} has a ${WORDS[kind]} ${card.card} already`,
      'set how it looks, or choose another name',
    );
  return viewOf(card);
}

/** @param looks empty: it may look as it likes @throws StoryProblem, InvalidNameError */
export async function setLooks(
  world: Cast,
  kind: CardKind,
  family: string,
  named: string,
  looks: string,
): Promise<CardView> {
  const known = await theCard(world, kind, family, named);
  const { looks: _before, ...rest } = known;
  const card: Card = { ...rest, ...looksOf(looks) };
  await world.families.putCard(kind, card, { replace: true });
  return viewOf(card);
}

/** @throws StoryProblem also where too few would be left */
export async function dropCard(world: Cast, kind: CardKind, family: string, named: string): Promise<CardView> {
  const known = await theCard(world, kind, family, named);
  const { length } = await world.families.cards(kind, family);
  if (length <= LEAST[kind])
    throw new StoryProblem(
      'conflict',
      `a story needs ${LEAST[kind] === 1 ? 'a scene' : `${LEAST[kind]} characters`}, and family ${family} has no more`,
      `add another ${WORDS[kind]} first`,
    );
  await world.families.removeCard(kind, family, known.card);
  return viewOf(known);
}

/** By its id, or by its name. */
async function theCard(world: Cast, kind: CardKind, family: string, named: string): Promise<Card> {
  await theFamily(world, family);
  const id = cardIdOf(named.trim());
  const known = (await world.families.cards(kind, family)).find(({ card }) => card === id);
  if (known) return known;
  throw new StoryProblem(
    'unknown',
    `family ${family} has no such ${WORDS[kind]}`,
    `list its ${kind}: each is called by its name, or by what stands before it`,
  );
}

function looksOf(raw: string | undefined): { looks?: string } {
  const looks = raw === undefined ? '' : checkLooks(raw);
  return looks === '' ? {} : { looks };
}

const viewOf = ({ card, name, looks }: Card): CardView => ({ card, name, ...(looks !== undefined && { looks }) });
