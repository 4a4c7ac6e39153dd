/**
 * What is set of a family, its month, who gets the mail, and its removal. Who may only look sees what it is.
 *
 * @module
 */
import { useState } from 'preact/hooks';
import type { FamilyChanged, FamilyDetail, FamilyView } from '../../../live/stories.ts';
import { counted, money } from '../format.ts';
import { useResource } from '../hooks.ts';
import { asFailure, ask, type Failure } from '../http.ts';
import { announce } from '../parts/announce.tsx';
import { showProblem } from '../parts/field.tsx';
import { Problem } from '../parts/notes.tsx';
import { isOperator } from '../session.ts';
import { changesOf, draftOf, type FamilyDraft, problemsOf } from './family-draft.ts';
import { WhatAndHowMuch, WhenAndWho } from './family-fields.tsx';
import { RemoveFamily } from './family-remove.tsx';
import { Subscriptions } from './family-subscriptions.tsx';
import { Warnings } from './family-warnings.tsx';
import { familyApi } from './story-paths.ts';

export function FamilySettings({ family, reload }: { family: FamilyView; reload(): void }) {
  const operates = isOperator();
  return (
    <>
      <h2>Settings</h2>
      <Facts family={family} operates={operates} />
      {operates && <Change family={family} reload={reload} />}
      <Subscriptions family={family.family} operates={operates} />
      {operates && <RemoveFamily family={family.family} reload={reload} />}
    </>
  );
}

function Facts({ family, operates }: { family: FamilyView; operates: boolean }) {
  const path = familyApi(family.family);
  // Asked again when what is set changes: the month's limit stands beside what of it is taken.
  const { data, failure, reload } = useResource(`${path} ${family.monthLimitUsd}`, (stop) =>
    ask<FamilyDetail>(path, { pattern: '/families/:family', signal: stop }),
  );
  return (
    <>
      {failure && <Problem failure={failure} retry={reload} />}
      <dl class="facts">
        {!operates && <SettingFacts family={family} />}
        <dt>This month</dt>
        <dd>{data ? `${money(data.month.committedUsd, 'USD')} of ${money(data.monthLimitUsd, 'USD')} taken` : '…'}</dd>
        <dt>Cast</dt>
        <dd>{data ? `${counted(data.characters, 'character')}, ${counted(data.scenes, 'scene')}` : '…'}</dd>
        <dt>Since</dt>
        <dd>{family.createdAt.slice(0, 10)}</dd>
      </dl>
    </>
  );
}

const SettingFacts = ({ family }: { family: FamilyView }) => (
  <>
    <dt>Every night</dt>
    <dd>
      {family.at}, {family.timeZone}
    </dd>
    <dt>Language and voice</dt>
    <dd>
      {family.language}, {family.voice}, {family.engine}
    </dd>
    <dt>Length</dt>
    <dd>at least {counted(family.minWords, 'word')}</dd>
    <dt>Mail</dt>
    <dd>{family.waitForAll ? 'waits for picture and voice' : 'goes as soon as the text is there'}</dd>
    <dt>Limits</dt>
    <dd>
      {money(family.storyLimitUsd, 'USD')} a story, {money(family.monthLimitUsd, 'USD')} a month
    </dd>
    <dt>Catch-up</dt>
    <dd>{counted(family.catchupMinutes, 'minute')}</dd>
  </>
);

interface State {
  sending: boolean;
  failure?: Failure;
  /** What came of the last change, until the list has it too. */
  told?: { of: FamilyView; changed: FamilyChanged };
}

function Change({ family, reload }: { family: FamilyView; reload(): void }) {
  // Only what was typed: what others change meanwhile is not set back.
  const [edits, setEdits] = useState<Partial<FamilyDraft>>({});
  const [state, setState] = useState<State>({ sending: false });
  const { told } = state;
  const now = told?.of === family ? told.changed : family;
  const problems = problemsOf(edits);
  const changes = changesOf(edits, now);
  const fields = {
    draft: { ...draftOf(now), ...edits },
    problems,
    edit: (change: Partial<FamilyDraft>) => setEdits((before) => ({ ...before, ...change })),
  };
  const save = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (Object.keys(problems).length > 0) return showProblem(event.currentTarget as HTMLFormElement);
    if (Object.keys(changes).length === 0) return;
    setState({ sending: true });
    try {
      const changed = await ask<FamilyChanged>(familyApi(family.family), {
        method: 'POST',
        pattern: '/families/:family',
        body: changes,
      });
      announce(`the settings of ${family.family} are kept`);
      setEdits({});
      setState({ sending: false, told: { of: family, changed } });
      reload();
    } catch (error) {
      setState({ sending: false, failure: asFailure(error) });
    }
  };
  return (
    <form class="panel" noValidate aria-label={`Settings of ${family.family}`} onSubmit={(event) => void save(event)}>
      <div class="settings-fields">
        <WhenAndWho {...fields} voiceHint="Of Amazon Polly; another language brings its own" />
        <WhatAndHowMuch {...fields} />
      </div>
      {state.failure && <Problem failure={state.failure} />}
      {told && <Warnings warnings={told.changed.warnings} />}
      <div class="dialog-buttons start">
        <button type="submit" class="primary" disabled={state.sending || Object.keys(changes).length === 0}>
          {state.sending ? 'Saving…' : 'Save the settings'}
        </button>
        {Object.keys(edits).length > 0 && (
          <button type="button" onClick={() => setEdits({})}>
            As they were
          </button>
        )}
      </div>
    </form>
  );
}
