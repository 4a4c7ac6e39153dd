/**
 * The page of the sample order: sends one over the live connection, and shows its progress and the messages that bring it.
 *
 * @module
 */
import { type Live, readIdentity } from '../../clients/live/client.ts';
import { RunPicture } from '../../workflows/progress/picture.ts';
import { connectButtons, element } from '../pages.ts';

const RAW_CHARACTERS = 200_000;
/** Which order is watched outlives a reload of the page. */
const WATCHED = 'longhaul.order';

let picture: RunPicture | undefined;
let watched: ReturnType<Live['watch']> | undefined;

element('user').textContent = readIdentity(sessionStorage, location.origin).userId;
element<HTMLInputElement>('orderId').value = `order-${Date.now().toString(36)}`;
const { live } = connectButtons(
  ['send'],
  {
    onRaw(direction, text) {
      const raw = element('raw');
      raw.textContent = `${raw.textContent ?? ''}${direction === 'in' ? '←' : '→'} ${text}\n`.slice(-RAW_CHARACTERS);
      raw.scrollTop = raw.scrollHeight;
    },
  },
  (connected) => {
    watched = undefined;
    const run = sessionStorage.getItem(WATCHED);
    if (run !== null) watch(connected, run);
  },
);

element('order').addEventListener('submit', (submitted) => {
  submitted.preventDefault();
  void send();
});

async function send(): Promise<void> {
  const connection = live();
  if (!connection) return;
  const value = (id: string) => element<HTMLInputElement | HTMLSelectElement>(id).value;
  try {
    const order = { orderId: value('orderId'), route: value('route'), payment: value('payment') };
    const { run } = await connection.request('order.send', order);
    element('error').textContent = '';
    if (run !== undefined) watch(connection, run);
  } catch (error) {
    element('error').textContent = (error as Error).message;
  }
}

function watch(connection: Live, run: string): void {
  if (watched?.run === run) return;
  watched?.close();
  picture = undefined;
  sessionStorage.setItem(WATCHED, run);
  watched = connection.watch(run, {
    // A page that was loaded anew has no picture.
    from: 'start',
    onResume(resume) {
      element('resume').textContent = `${run}: ${resume.verdict}`;
      if ('snapshot' in resume) picture = resume.snapshot && new RunPicture(resume.snapshot);
      show();
    },
    onEvent(event, { epoch }) {
      picture ??= RunPicture.empty(run, { domain: 'order' }, epoch, event.at);
      picture.apply(event);
      show();
    },
    onError(error) {
      element('error').textContent = `${error.message}: ${error.remedy}`;
    },
  });
}

function show(): void {
  const view = picture?.snapshot();
  if (!view) return;
  element('status').textContent = `${view.status ?? ''}${view.attempt > 1 ? ` (attempt ${view.attempt})` : ''}`;
  element('message').textContent = view.message ?? '';
  element<HTMLProgressElement>('percent').value = view.percent ?? 0;
  element('error').textContent = view.error?.message ?? '';
  element('steps').replaceChildren(
    ...view.steps.map(({ name, state, cause }) => {
      const item = document.createElement('li');
      item.dataset['state'] = state;
      item.textContent = `${name}: ${state.toLowerCase()}${cause === undefined ? '' : ` (${cause})`}`;
      return item;
    }),
  );
}
