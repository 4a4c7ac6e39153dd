/**
 * A gateway that asks for a token: it is kept for this tab only.
 *
 * @module
 */
import { useState } from 'preact/hooks';
import { signIn } from '../session.ts';

export function SignIn({ refused }: { refused: boolean }) {
  const [text, setText] = useState('');
  const submit = (event: Event): void => {
    event.preventDefault();
    if (text.trim() !== '') void signIn(text);
  };
  return (
    <form class="narrow" onSubmit={submit}>
      <h1 tabIndex={-1}>Sign in</h1>
      <p>
        This gateway asks for a token (a JWT of your organisation). It is kept in this tab, and gone when you close it.
      </p>
      {refused && (
        <p class="field-problem" role="alert">
          That token was not accepted: it may have run out, or be of another issuer. Get a fresh one.
        </p>
      )}
      <label class="field">
        Token
        <input
          type="password"
          autocomplete="off"
          required
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <button type="submit" class="primary">
        Sign in
      </button>
    </form>
  );
}
