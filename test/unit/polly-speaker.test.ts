/**
 * The child that speaks, with a program in its place where what matters is how it ends.
 *
 * @module
 */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSpeaker, type Speaker } from '../../infra/local/aws/polly/speaker.ts';

const hush = { voice: 'gmw/en', pitch: 50, wordsPerMinute: 160, text: 'Hush.' };

let directory: string;
let speaker: Speaker;

/** A program instead of Python: answers with its process id, and dies of the text "die". */
const PROGRAM = `#!${process.execPath}
const say = (what) => process.stdout.write(JSON.stringify(what) + '\\n');
say({ rate: 22050 });
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { text, voice } = JSON.parse(line);
  if (text === 'die') process.exit(3);
  if (text === 'no') return say({ error: 'eSpeak has no voice ' + voice });
  say({ pcm: Buffer.from([1, 0, 255, 255]).toString('base64'), events: [['word', 0, process.pid]] });
});
`;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'longhaul-speaker-'));
  const program = join(directory, 'python');
  await writeFile(program, PROGRAM);
  await chmod(program, 0o755);
  speaker = createSpeaker(async () => program);
});

afterEach(async () => {
  await speaker.close();
  await rm(directory, { recursive: true, force: true });
});

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('the speaker', () => {
  it('starts nothing before it is asked, and one child for all that is asked', async () => {
    expect(speaker.pid).toBeUndefined();

    const answers = await Promise.all([speaker.speak(hush), speaker.speak(hush), speaker.speak(hush)]);

    expect(answers[0]).toMatchObject({ rate: 22_050, events: [{ kind: 'word', point: 0, sample: speaker.pid }] });
    expect([...(answers[0]?.pcm ?? [])]).toEqual([1, -1]);
    expect(new Set(answers.map(({ events }) => events[0]?.sample)).size).toBe(1);
  });

  it('starts another child when one has died, and only the request it died of is lost', async () => {
    const [first, died, next] = await Promise.allSettled([
      speaker.speak(hush),
      speaker.speak({ ...hush, text: 'die' }),
      speaker.speak(hush),
    ]);

    expect(died).toMatchObject({ status: 'rejected', reason: { message: 'eSpeak ended with 3' } });
    expect([first.status, next.status]).toEqual(['fulfilled', 'fulfilled']);
    expect(JSON.stringify(first)).not.toBe(JSON.stringify(next));
  });

  it('starts another child when one was killed between two requests', async () => {
    await speaker.speak(hush);
    process.kill(speaker.pid ?? 0, 'SIGKILL');
    await expect.poll(() => speaker.pid).toBeUndefined();

    await expect(speaker.speak(hush)).resolves.toHaveProperty('rate', 22_050);
  });

  it('keeps the child that refuses', async () => {
    await speaker.speak(hush);
    const { pid } = speaker;

    await expect(speaker.speak({ ...hush, text: 'no', voice: 'x' })).rejects.toThrow('eSpeak has no voice x');
    expect(speaker.pid).toBe(pid);
    await expect(speaker.speak(hush)).resolves.toHaveProperty('rate');
  });

  it('says why it cannot be started', async () => {
    const missing = createSpeaker(async () => join(directory, 'nothing'));

    await expect(missing.speak(hush)).rejects.toThrow('eSpeak cannot be started');
    await missing.close();
  });

  it('takes its child along when it closes, and speaks no more', async () => {
    await speaker.speak(hush);
    const pid = speaker.pid ?? 0;

    await speaker.close();

    expect(isAlive(pid)).toBe(false);
    await expect(speaker.speak(hush)).rejects.toThrow('the speaker is closed');
  });
});
