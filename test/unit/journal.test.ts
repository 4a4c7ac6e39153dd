import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openJournal } from '../../infra/local/kit/journal.ts';

interface Entry {
  key: string;
  value: number;
}

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'longhaul-journal-'));
  file = join(directory, 'deep', 'state.jsonl');
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A map kept in a journal. */
function open() {
  const state = new Map<string, number>();
  const journal = openJournal<Entry>({
    file,
    replay: ({ key, value }) => void state.set(key, value),
    snapshot: () => [...state].map(([key, value]) => ({ key, value })),
  });
  return {
    state,
    journal,
    set(key: string, value: number) {
      journal.append({ key, value });
      state.set(key, value);
    },
  };
}

it('gives back what was appended, without having been closed', () => {
  const first = open();
  first.set('a', 1);
  first.set('ü☃', 2);

  const second = open();

  expect([...second.state]).toEqual([
    ['a', 1],
    ['ü☃', 2],
  ]);
});

it.each(['{"key":"torn","va', '{"key":"torn","value":3}', '{'])(
  'cuts off the torn last line %s and goes on behind the last whole one',
  (torn) => {
    open().set('a', 1);
    appendFileSync(file, torn);

    open().set('b', 2);
    const third = open();

    expect([...third.state.keys()]).toEqual(['a', 'b']);
  },
);

it('refuses a damaged line that is not the last, naming it', () => {
  open().set('a', 1);
  writeFileSync(file, '{"key":"a","value":1}\nnot json\n{"key":"b","value":2}\n');

  expect(open).toThrow(/state\.jsonl:2 is damaged/);
});

it('drops void lines at the next start, and an unfinished rewrite does no harm', () => {
  const first = open();
  for (let value = 0; value < 500; value += 1) first.set('same', value);
  writeFileSync(`${file}.new`, '{"half');

  const second = open();
  second.set('other', 1);

  expect([...open().state]).toEqual([
    ['same', 499],
    ['other', 1],
  ]);
  expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(3);
});

it('reads lines longer than its read buffer', () => {
  const key = 'k'.repeat(3_000_000);
  const first = open();
  first.set('before', 1);
  first.set(key, 2);
  first.set('after', 3);

  expect([...open().state.values()]).toEqual([1, 2, 3]);
});

it('is rewritten while it is in use, once most of it is void', async () => {
  const first = open();
  for (let value = 0; value < 50_000; value += 1) first.set('same', value);
  await new Promise((resolve) => setImmediate(resolve));
  first.set('after', 1);

  expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(3);
  expect([...open().state]).toEqual([
    ['same', 49_999],
    ['after', 1],
  ]);
});
