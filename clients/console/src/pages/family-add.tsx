/**
 * A family is added: folded away where there are others. A family is a new consumer, so it takes a token for all of them.
 *
 * @module
 */
import { useRef, useState } from 'preact/hooks';
import type { SessionInfo } from '../../../live/api.ts';
import type { FamilyChanged } from '../../../live/stories.ts';
import { asFailure, ask, type Failure } from '../http.ts';
import { announce } from '../parts/announce.tsx';
import { Field, showProblem } from '../parts/field.tsx';
import { Problem, sentence } from '../parts/notes.tsx';
import { mayOperate } from '../session.ts';
import { type FamilyDraft, nameProblem, newDraft, problemsOf, settingsOf, zoneHere } from './family-draft.ts';
import { WhatAndHowMuch, WhenAndWho } from './family-fields.tsx';
import { Warnings } from './family-warnings.tsx';
import { familyPath } from './story-paths.ts';

export const mayAdd = (info: SessionInfo): boolean => mayOperate(info) && info.consumers === '*';

interface State {
  sending: boolean;
  /** What is wrong with an empty name is said once it was tried. */
  tried: boolean;
  failure?: Failure;
  added?: FamilyChanged;
}
const FRESH: State = { sending: false, tried: false };

/** @param open at first: what comes of adding the first one stays to be seen */
export function AddFamily({ open, reload }: { open: boolean; reload(): void }) {
  const [opened] = useState(open);
  const [name, setName] = useState('');
  const [draft, setDraft] = useState<FamilyDraft>(() => newDraft(zoneHere()));
  const [state, setState] = useState<State>(FRESH);
  const first = useRef<HTMLInputElement>(null);
  const problems = problemsOf(draft);
  const wrongName = nameProblem(name);
  const fields = {
    draft,
    problems,
    edit: (change: Partial<FamilyDraft>) => setDraft((before) => ({ ...before, ...change })),
  };
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setState({ sending: false, tried: true });
    if (wrongName !== undefined || Object.keys(problems).length > 0)
      return showProblem(event.currentTarget as HTMLFormElement);
    setState({ sending: true, tried: true });
    try {
      const body = { family: name, ...settingsOf(draft) };
      const added = await ask<FamilyChanged>('/families', { method: 'POST', pattern: '/families', body });
      announce(`${name} is added`);
      setName('');
      setDraft(newDraft(zoneHere()));
      setState({ ...FRESH, added });
      first.current?.focus();
      reload();
    } catch (error) {
      setState({ sending: false, tried: true, failure: asFailure(error) });
    }
  };
  return (
    <details class="panel fold" open={opened}>
      <summary>
        <h2>Add a family</h2>
      </summary>
      <form noValidate aria-label="Add a family" onSubmit={(event) => void submit(event)}>
        <p class="quiet-text">
          A story every night from now on, with characters and scenes to begin with. The name is no surname: it stands
          in addresses and logs.
        </p>
        <div class="settings-fields">
          <Field
            label="Name"
            hint="Small letters, digits and dashes, such as moon"
            text={name}
            problem={(state.tried || name !== '') && wrongName !== undefined ? sentence(wrongName) : undefined}
            onText={(text) => setName(text.trim())}
            field={first}
          />
          <WhenAndWho {...fields} voiceHint="Of Amazon Polly, such as Amy; empty: by the language" />
        </div>
        <details class="fold">
          <summary>Length, limits and the like</summary>
          <div class="settings-fields">
            <WhatAndHowMuch {...fields} />
          </div>
        </details>
        {state.failure && <Problem failure={state.failure} />}
        {state.added && <Added family={state.added} />}
        <div class="dialog-buttons start">
          <button type="submit" class="primary" disabled={state.sending}>
            {state.sending ? 'Adding…' : 'Add the family'}
          </button>
        </div>
      </form>
    </details>
  );
}

const Added = ({ family: { family, at, timeZone, language, voice, warnings } }: { family: FamilyChanged }) => (
  <>
    <div class="note note-good">
      <div>
        <p>
          <strong>{family} is added</strong>: every night at {at}, {timeZone}, in {language} by {voice}.
        </p>
        <p>
          Who gets the mail is told in <a href={`${familyPath(family)}&tab=settings`}>its settings</a>.
        </p>
      </div>
    </div>
    <Warnings warnings={warnings} />
  </>
);
