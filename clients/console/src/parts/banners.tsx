/**
 * What concerns every page: no connection, an open gateway, a token that runs out.
 *
 * @module
 */
import { useState } from 'preact/hooks';
import { clock } from '../format.ts';
import { now } from '../hooks.ts';
import { reachable } from '../http.ts';
import { connection, lastHeard } from '../live.ts';
import { session, signIn } from '../session.ts';
import { Icon } from './icon.tsx';

const TOKEN_SOON_MS = 2 * 60_000;

export function Banners() {
  const known = session.value;
  if (known.state !== 'known') return null;
  const { auth, expiresAt } = known.info;
  const offline = connection.value === 'lost' || !reachable.value;
  return (
    <div class="banners" aria-live="polite">
      {offline && (
        <p class="banner banner-warn">
          <Icon name="warning" />
          <span>
            Offline. What is shown is of {clock(lastHeard.value)}; it goes on by itself once the gateway answers again.
          </span>
        </p>
      )}
      {auth === 'open' && (
        <p class="banner banner-quiet">Open: loopback only. Whoever uses this machine may do everything.</p>
      )}
      {expiresAt !== undefined && expiresAt - now.value < TOKEN_SOON_MS && <Renewal expiresAt={expiresAt} />}
    </div>
  );
}

function Renewal({ expiresAt }: { expiresAt: number }) {
  const [text, setText] = useState('');
  const left = Math.max(0, Math.ceil((expiresAt - now.value) / 1000));
  const submit = (event: Event): void => {
    event.preventDefault();
    if (text.trim() !== '') void signIn(text).then(() => setText(''));
  };
  return (
    <form class="banner banner-warn" onSubmit={submit}>
      <span aria-live="off">Your token ends in {left} s. A fresh one keeps everything open:</span>
      <input
        type="password"
        autocomplete="off"
        aria-label="Fresh token"
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <button type="submit">Renew</button>
    </form>
  );
}
