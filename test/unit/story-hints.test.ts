/** What errors of stories tell a person to type is there to be typed. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { expect, it } from 'vitest';
import { addStoryCommands } from '../../clients/cli/story.ts';

const FOLDERS = ['activities/story', 'clients/story', 'workflows/story', 'lib/story'];
/** With its options, to the end of the command or of the piece of text it stands in. */
const HINT = /\blonghaul (?<typed>story [^`'"\n]*)/g;

const hints = FOLDERS.flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => {
      const text = readFileSync(join(folder, name), 'utf8').replaceAll('\\`', '`').replaceAll('${kind}', 'characters');
      return [...text.matchAll(HINT)].map(({ groups }) => [name, (groups?.typed ?? '').trim()] as const);
    }),
);

it('finds hints', () => expect(hints.length).toBeGreaterThan(10));

it.each(hints)('%s: longhaul %s', (_, typed) => {
  const program = new Command();
  addStoryCommands(program);
  let command = program;
  for (const word of typed.split(' ')) {
    const next = command.commands.find((one) => one.name() === word);
    if (!next) break;
    command = next;
  }
  expect(command.name()).not.toBe('story');
  const options = typed.match(/--[a-z-]+/g) ?? [];
  expect(command.options.map(({ long }) => long)).toEqual(expect.arrayContaining(options));
});
