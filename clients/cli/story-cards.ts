/**
 * `longhaul story characters …`, `longhaul story scenes …`: the cast of a family.
 *
 * @module
 */
import { Argument, type Command } from 'commander';
import type { CardKind } from '../../lib/store/families.ts';
import type { CardView } from '../live/stories.ts';
import { addCard, dropCard, listCards, setLooks } from '../story/cards.ts';
import { CliError, EXIT, print, table } from './context.ts';
import { type Json, type KeptWorld, withKept } from './story-world.ts';

const ACTIONS = ['list', 'add', 'set', 'remove'] as const;
type Action = (typeof ACTIONS)[number];

interface CardOptions extends Json {
  looks?: string;
}

const KINDS: readonly { kind: CardKind; one: string; about: string; example: string; looks: string }[] = [
  {
    kind: 'characters',
    one: 'character',
    about: 'who the stories of a family are about: two of them are drawn for each',
    example: 'Little Moon',
    looks: 'a white kitten with a silver star',
  },
  {
    kind: 'scenes',
    one: 'scene',
    about: 'where the stories of a family happen: one is drawn for each',
    example: 'haunted woods',
    looks: 'crooked trees in blue moonlight',
  },
];

export function addCardCommands(story: Command): void {
  for (const { kind, one, about, example, looks } of KINDS)
    story
      .command(kind)
      .argument('<family>')
      .addArgument(new Argument('[action]', 'what to do').choices(ACTIONS).default('list'))
      .argument('[name]', `of the ${one}: a made-up one of a few plain words, no real person's`)
      .description(about)
      .option('--looks <text>', 'how pictures show it; of set, empty: as they like')
      .option('--json', 'print one JSON object')
      .addHelpText(
        'after',
        [
          '\nExamples:',
          `  longhaul story ${kind} moon`,
          `  longhaul story ${kind} moon add "${example}" --looks "${looks}"`,
          `  longhaul story ${kind} moon set "${example}" --looks "${looks}"`,
          `  longhaul story ${kind} moon remove "${example}"`,
        ].join('\n'),
      )
      .action((family: string, action: Action, name: string | undefined, options: CardOptions) =>
        withKept((world) => act(world, { kind, one, family, action, name }, options)),
      );
}

interface Asked {
  kind: CardKind;
  one: string;
  family: string;
  action: Action;
  name: string | undefined;
}

async function act(world: KeptWorld, asked: Asked, options: CardOptions): Promise<void> {
  const { kind, one, family, action } = asked;
  const { looks, json } = options;
  switch (action) {
    case 'list': {
      const cards = await listCards(world, kind, family);
      return print(json, { cards }, () => drawCards(cards));
    }
    case 'add': {
      const card = await addCard(
        world,
        kind,
        family,
        { name: nameOf(asked), ...(looks !== undefined && { looks }) },
        Date.now(),
      );
      return print(json, card, () => `${one} ${card.name} is added to family ${family}`);
    }
    case 'set': {
      const name = nameOf(asked);
      if (looks === undefined)
        throw new CliError('say how it looks: --looks "a small red fox with a scarf"', EXIT.usage);
      const card = await setLooks(world, kind, family, name, looks);
      return print(json, card, () =>
        card.looks === undefined
          ? `pictures show ${card.name} as they like`
          : `${card.name} looks like this: ${card.looks}`,
      );
    }
    case 'remove': {
      const card = await dropCard(world, kind, family, nameOf(asked));
      return print(json, { ...card, removed: true }, () => `${one} ${card.name} is removed from family ${family}`);
    }
  }
}

function nameOf({ kind, family, action, name }: Asked): string {
  if (name !== undefined) return name;
  throw new CliError(`the name is missing: longhaul story ${kind} ${family} ${action} <name>`, EXIT.usage);
}

const drawCards = (cards: readonly CardView[]): string[] =>
  table(
    ['CARD', 'NAME', 'LOOKS'],
    cards.map(({ card, name, looks }) => [card, name, looks ?? '–']),
  );
