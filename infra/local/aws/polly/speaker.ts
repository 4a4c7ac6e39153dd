/**
 * A child process that speaks: `speak.py` over eSpeak NG. Started at the first request, one request at a time, started
 * again at the next one when it has died or was too slow.
 *
 * @module
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../../platform/root.ts';

export interface Utterance {
  /** Of eSpeak, such as `gmw/en+f3`. */
  voice: string;
  /** 0 to 100; eSpeak's own is 50. */
  pitch: number;
  wordsPerMinute: number;
  text: string;
}

/** What eSpeak tells of its audio. */
export interface SpokenEvent {
  /** `word`: one begins. `end`: of a clause; what follows is a pause. */
  kind: 'word' | 'end';
  /** Into the code points of the text. */
  point: number;
  /** Samples from the beginning. */
  sample: number;
}

export interface Spoken {
  /** Samples a second. */
  rate: number;
  pcm: Int16Array;
  events: SpokenEvent[];
}

export interface Speaker {
  /** @throws SpeakerError when it cannot be done */
  speak(utterance: Utterance): Promise<Spoken>;
  /** Of the child, while there is one. */
  readonly pid: number | undefined;
  close(): Promise<void>;
}

export class SpeakerError extends Error {
  override readonly name = 'SpeakerError';
}

/** eSpeak speaks a story of three thousand characters in a third of a second. */
const PATIENCE_MS = 40_000;
/** Polly's own bound of requests at a time; more than that wait for nobody. */
const MOST_WAITING = 200;

interface Child {
  process: ChildProcessWithoutNullStreams;
  rate: number;
  /** The next line it says; rejects when it dies first. */
  line(): Promise<string>;
}

/** @param python finds the Python that has eSpeak; asked anew until it has been found */
export function createSpeaker(python: () => Promise<string>): Speaker {
  let child: Child | undefined;
  let closed = false;
  let waiting = 0;
  let turn: Promise<unknown> = Promise.resolve();

  async function speakNow(utterance: Utterance): Promise<Spoken> {
    if (closed) throw new SpeakerError('the speaker is closed');
    const present = child ?? (await begin());
    try {
      const answer = present.line();
      present.process.stdin.write(`${JSON.stringify(utterance)}\n`);
      return read(await within(answer), present.rate);
    } catch (error) {
      // Whatever it says later would be taken for the next answer.
      if (!(error instanceof Refused)) await end();
      throw error;
    }
  }

  async function begin(): Promise<Child> {
    const begun = await start(await python());
    child = begun;
    begun.process.once('exit', () => {
      if (child === begun) child = undefined;
    });
    if (!closed) return begun;
    await end();
    throw new SpeakerError('the speaker is closed');
  }

  async function end(): Promise<void> {
    const ending = child;
    child = undefined;
    if (!ending || ending.process.exitCode !== null || ending.process.signalCode !== null) return;
    const gone = new Promise((resolve) => ending.process.once('exit', resolve));
    ending.process.kill('SIGKILL');
    await gone;
  }

  return {
    get pid() {
      return child?.process.pid;
    },
    async speak(utterance) {
      if (waiting >= MOST_WAITING) throw new SpeakerError(`${MOST_WAITING} requests wait already`);
      waiting += 1;
      const done = turn.then(() => speakNow(utterance));
      turn = done.catch(() => {});
      try {
        return await done;
      } finally {
        waiting -= 1;
      }
    },
    async close() {
      closed = true;
      await end();
      await turn;
      await end();
    },
  };
}

/** It lives on, and answers the next one. */
class Refused extends SpeakerError {}

async function start(python: string): Promise<Child> {
  const program = join(packageRoot(), 'infra/local/aws/polly/speak.py');
  const child = spawn(python, [program], { stdio: ['pipe', 'pipe', 'pipe'] });
  // Told by the end of the process, too.
  child.stdin.on('error', () => {});
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = `${said}${chunk.toString('utf8')}`.slice(-2_000);
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const died = new Promise<never>((_, reject) => {
    child.once('error', (error) => reject(new SpeakerError(`eSpeak cannot be started: ${error.message}`)));
    child.once('close', (code, signal) =>
      reject(new SpeakerError(`eSpeak ended with ${signal ?? code}${said && `: ${said.trim()}`}`)),
    );
  });
  // Nobody may be listening when it dies between two requests.
  died.catch(() => {});
  const line = async () => {
    const next = await Promise.race([lines.next(), died]);
    return next.done ? died : next.value;
  };
  try {
    const { rate } = JSON.parse(await within(line())) as { rate: number };
    return { process: child, rate, line };
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

async function within<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new SpeakerError(`eSpeak did not answer within ${PATIENCE_MS / 1000} s`)),
      PATIENCE_MS,
    );
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

type Answer = { error: string } | { pcm: string; events: [SpokenEvent['kind'], number, number][] };

function read(line: string, rate: number): Spoken {
  const answer = JSON.parse(line) as Answer;
  if ('error' in answer) throw new Refused(answer.error);
  const bytes = Buffer.from(answer.pcm, 'base64');
  const pcm = new Int16Array(bytes.length / 2);
  for (let index = 0; index < pcm.length; index += 1) pcm[index] = bytes.readInt16LE(index * 2);
  return { rate, pcm, events: answer.events.map(([kind, point, sample]) => ({ kind, point, sample })) };
}
