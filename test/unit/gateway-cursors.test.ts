/** How far a user has acknowledged, whoever knows it: this gateway's memory, or what another gateway has written. */
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { Cursors } from '../../clients/gateway/live/cursors.ts';
import { createMemorySessions } from '../support/memory-sessions.ts';

const USER = { userId: 'somebody-who-reads', subject: 'subject-1' };
const RUN = 'teleprinter/somebody-who-reads';
const at = (seq: number, epoch = 'epoch-1') => ({ epoch, seq });
const log = pino({ level: 'silent' });

function open() {
  const store = createMemorySessions();
  return { store, cursors: new Cursors(store, log) };
}

it('what was acknowledged a moment ago is known before it is written', async () => {
  const { store, cursors } = open();
  await store.moveCursor(USER, RUN, at(3));
  cursors.move(USER, RUN, at(5));
  expect(await cursors.get(USER, RUN)).toEqual(at(5));
  await cursors.flush();
  expect(await store.cursor(USER, RUN)).toEqual(at(5));
});

it('what another gateway has written since counts more than what this one still has in memory', async () => {
  const { store, cursors } = open();
  const { moveCursor } = store;
  store.moveCursor = () => Promise.reject(new Error('down'));
  cursors.move(USER, RUN, at(3));
  await cursors.flush();
  await moveCursor(USER, RUN, at(50));
  expect(await cursors.get(USER, RUN)).toEqual(at(50));
});

it('of another log what this gateway has heard counts', async () => {
  const { store, cursors } = open();
  await store.moveCursor(USER, RUN, at(50));
  cursors.move(USER, RUN, at(1, 'epoch-2'));
  expect(await cursors.get(USER, RUN)).toEqual(at(1, 'epoch-2'));
});

it('what is written and forgotten while the older one is read is not lost', async () => {
  const { store, cursors } = open();
  await store.moveCursor(USER, RUN, at(3));
  const { cursor } = store;
  store.cursor = async (user, run) => {
    const older = await cursor(user, run);
    await cursors.flush();
    return older;
  };
  cursors.move(USER, RUN, at(5));
  expect(await cursors.get(USER, RUN)).toEqual(at(5));
});

it('what is in memory is told while the table cannot be read; what is not is an error', async () => {
  const { store, cursors } = open();
  store.cursor = () => Promise.reject(new Error('down'));
  await expect(cursors.get(USER, RUN)).rejects.toThrow('down');
  cursors.move(USER, RUN, at(5));
  expect(await cursors.get(USER, RUN)).toEqual(at(5));
});
