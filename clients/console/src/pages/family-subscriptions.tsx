/**
 * Who gets the mail of a family. SNS alone knows the addresses: here they are masked, and one that is typed is sent in a body
 * and then forgotten.
 *
 * @module
 */
import { useRef, useState } from 'preact/hooks';
import type { Subscription } from '../../../live/stories.ts';
import { useResource } from '../hooks.ts';
import { asFailure, ask, type Failure } from '../http.ts';
import { announce } from '../parts/announce.tsx';
import { Field } from '../parts/field.tsx';
import { Problem, Skeleton } from '../parts/notes.tsx';
import { familyApi } from './story-paths.ts';

/** Somebody may answer while it is looked at. */
const EVERY_MS = 30_000;
const PATTERN = '/families/:family/subscriptions';

export function Subscriptions({ family, operates }: { family: string; operates: boolean }) {
  const path = familyApi(family, '/subscriptions');
  const { data, failure, loading, reload } = useResource(
    path,
    (stop) => ask<{ subscriptions: Subscription[] }>(path, { pattern: PATTERN, signal: stop }),
    EVERY_MS,
  );
  return (
    <>
      <h2>Who gets the mail</h2>
      {failure && <Problem failure={failure} retry={reload} />}
      {!data && loading && <Skeleton rows={1} label="Asking SNS" />}
      {data?.subscriptions.length === 0 && <p>Nobody yet.</p>}
      <ul class="subscribers">
        {data?.subscriptions.map(({ address, confirmed }, nth) => (
          // Two may look alike.
          <li key={nth}>
            <span class="address">{address}</span>
            <span class={confirmed ? 't-good' : 't-wait'}>{confirmed ? 'gets it' : 'has not answered yet'}</span>
          </li>
        ))}
      </ul>
      {operates && <Subscribe path={path} reload={reload} />}
    </>
  );
}

function Subscribe({ path, reload }: { path: string; reload(): void }) {
  const [address, setAddress] = useState('');
  const [state, setState] = useState<{ sending: boolean; asked?: boolean; failure?: Failure }>({ sending: false });
  const field = useRef<HTMLInputElement>(null);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (address.trim() === '') return field.current?.focus();
    setState({ sending: true });
    try {
      await ask(path, { method: 'POST', pattern: PATTERN, body: { address: address.trim() } });
      announce('a mail that asks is on its way');
      setAddress('');
      setState({ sending: false, asked: true });
      field.current?.focus();
      reload();
    } catch (error) {
      setState({ sending: false, failure: asFailure(error) });
    }
  };
  return (
    <form class="panel" noValidate aria-label="Send the mail to somebody" onSubmit={(event) => void submit(event)}>
      <Field
        label="E-mail address"
        type="email"
        hint="SNS asks it first, and keeps it; Longhaul does not. Whoever wants no more leaves by the link in each mail."
        text={address}
        onText={setAddress}
        field={field}
      />
      {state.failure && <Problem failure={state.failure} />}
      {state.asked && <p>A mail is on its way. Stories come once the link in it has been opened.</p>}
      <div class="dialog-buttons start">
        <button type="submit" disabled={state.sending || address.trim() === ''}>
          {state.sending ? 'Subscribing…' : 'Subscribe'}
        </button>
      </div>
    </form>
  );
}
