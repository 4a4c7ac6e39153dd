/**
 * What the pages of the samples share: their elements, and a connection that can be had and let go.
 *
 * @module
 */
import { connectLive, type Live, type LiveOptions } from '../clients/live/client.ts';

export function element<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as T;
}

const STATES = {
  connecting: 'connecting …',
  open: 'connected',
  offline: 'offline; connecting again soon',
  closed: 'not connected',
} as const;

/** Buttons `connect` and `disconnect`; all of `needed` work while there is a connection. */
export function connectButtons(
  needed: readonly string[],
  options: Pick<LiveOptions, 'onRaw' | 'onWelcome'>,
  onConnected: (live: Live) => void = () => {},
) {
  let live: Live | undefined;
  const state = element('state');
  const show = (is: keyof typeof STATES) => {
    state.textContent = STATES[is];
    element<HTMLButtonElement>('connect').disabled = is !== 'closed';
    element<HTMLButtonElement>('disconnect').disabled = is === 'closed';
    for (const id of needed) element<HTMLButtonElement>(id).disabled = is !== 'open';
  };
  element('connect').addEventListener('click', () => {
    live = connectLive({
      url: location.origin,
      ...options,
      onState: show,
      onError(error) {
        state.textContent = `${error.message}: ${error.remedy}`;
      },
    });
    onConnected(live);
  });
  const disconnect = () => {
    live?.close();
    live = undefined;
    show('closed');
  };
  element('disconnect').addEventListener('click', disconnect);
  show('closed');
  return { disconnect, live: () => live };
}
