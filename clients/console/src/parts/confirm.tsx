/**
 * A dialog that says what something means before it is done, and why it could not be.
 *
 * @module
 */
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { asFailure, type Failure } from '../http.ts';
import { Problem } from './notes.tsx';

interface ConfirmProps {
  title: string;
  doIt: string;
  /** The button that changes nothing. */
  leaveIt?: string;
  danger?: boolean;
  children?: ComponentChildren;
  /** @throws Failure, which the dialog shows */
  act(): Promise<void>;
  close(): void;
}

export function Confirm({ title, doIt, leaveIt = 'Not now', danger = false, children, act, close }: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [state, setState] = useState<{ sending: boolean; failure?: Failure }>({ sending: false });
  const heading = useId();
  useEffect(() => dialog.current?.showModal(), []);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setState({ sending: true });
    try {
      await act();
      dialog.current?.close();
    } catch (error) {
      setState({ sending: false, failure: asFailure(error) });
    }
  };
  return (
    <dialog ref={dialog} aria-labelledby={heading} onClose={close}>
      <form onSubmit={(event) => void submit(event)}>
        <h2 id={heading}>{title}</h2>
        {children}
        {state.failure && <Problem failure={state.failure} />}
        <div class="dialog-buttons">
          <button type="button" onClick={() => dialog.current?.close()}>
            {leaveIt}
          </button>
          <button type="submit" class={danger ? 'danger' : 'primary'} disabled={state.sending}>
            {state.sending ? 'Sending…' : doIt}
          </button>
        </div>
      </form>
    </dialog>
  );
}
