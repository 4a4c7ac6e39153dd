/**
 * The page of the sample teleprinter: prints what is typed for this reader, character by character, and goes on where the
 * reader was after each break.
 *
 * @module
 */
import { type Live, newIdentity, readIdentity } from '../../clients/live/client.ts';
import type { Position } from '../../workflows/progress/model.ts';
import type { Reading, Typed } from '../../workflows/teleprinter/model.ts';
import { connectButtons, element } from '../pages.ts';

/** What waits is printed one by one all the same, only faster. */
const PRINT_MS = 20;
/** What this tab has printed outlives a reload; the cursor of the session says the same. */
const PAPER = 'longhaul.paper';

interface Paper {
  reading: number;
  text: string;
}

let waiting: string[] = [];
let reading = 0;
const paper = element('paper');
const keep = (text: string) => sessionStorage.setItem(PAPER, JSON.stringify({ reading, text } satisfies Paper));

function showUser(): void {
  element('user').textContent = readIdentity(sessionStorage, location.origin).userId;
}

function wipe(): void {
  waiting = [];
  reading = 0;
  paper.textContent = '';
  sessionStorage.removeItem(PAPER);
}

setInterval(() => {
  const character = waiting.shift();
  if (character === undefined) return;
  const followed = paper.scrollTop + paper.clientHeight >= paper.scrollHeight - 40;
  paper.append(character);
  if (followed) paper.scrollTop = paper.scrollHeight;
  keep(paper.textContent ?? '');
}, PRINT_MS);
// A page that goes while characters wait has acknowledged them: they are on its paper when it comes back.
addEventListener('pagehide', () => {
  if (waiting.length > 0) keep(`${paper.textContent ?? ''}${waiting.join('')}`);
});

const { live, disconnect } = connectButtons(['read', 'stop'], {
  onWelcome({ session }) {
    element('place').textContent = session === 'purged' ? 'you were away for too long: reading begins anew' : '';
  },
});
let watched: { connection: Live; close(): void } | undefined;

element('read').addEventListener('click', () => void read());
element('stop').addEventListener('click', () => void stop());
element('reset').addEventListener('click', () => {
  disconnect();
  newIdentity(sessionStorage, location.origin);
  wipe();
  showUser();
  element('place').textContent = 'somebody else now';
});

async function read(): Promise<void> {
  const connection = live();
  if (!connection) return;
  try {
    const { run, output } = await connection.request('teleprinter.read');
    const { reading: of, at, total, after } = output as Reading;
    element('place').textContent = `reading ${of}: typing goes on at character ${at} of ${total}`;
    if (run !== undefined && watched?.connection !== connection) watch(connection, run, after);
  } catch (error) {
    element('error').textContent = (error as Error).message;
  }
}

async function stop(): Promise<void> {
  try {
    await live()?.request('teleprinter.stop');
  } catch (error) {
    element('error').textContent = (error as Error).message;
  }
}

/** @param after the last event this reader has acknowledged; without it the log is told from its beginning */
function watch(connection: Live, run: string, after: Position | undefined): void {
  const { close } = connection.watch(run, {
    ...(after ? { position: after } : { from: 'start' }),
    onEvent({ kind, data, source, message }) {
      if (kind !== 'data') {
        if (message) element('place').textContent = message;
        return;
      }
      const { at, text } = data as Typed;
      if (source.attempt !== reading) {
        wipe();
        reading = source.attempt;
      }
      // What a tab had printed that was closed before it could acknowledge.
      const printed = [...(paper.textContent ?? '')].length + waiting.length;
      waiting.push(...[...text].slice(Math.max(0, printed - at)));
      element('place').textContent = `reading ${source.attempt}, character ${at + [...text].length}`;
    },
    onError(error) {
      element('error').textContent = `${error.message}: ${error.remedy}`;
    },
  });
  watched = { connection, close };
}

const kept = JSON.parse(sessionStorage.getItem(PAPER) ?? '{}') as Partial<Paper>;
reading = kept.reading ?? 0;
paper.textContent = kept.text ?? '';
showUser();
