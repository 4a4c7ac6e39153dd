/**
 * The fields of a family's settings, to be added or changed. What has a usual value is folded away where it is added.
 *
 * @module
 */
import { SPEECH_ENGINES, type SpeechEngine } from '../../../../lib/story/document.ts';
import { BOUNDS } from '../../../story/settings.ts';
import { Field } from '../parts/field.tsx';
import { sentence } from '../parts/notes.tsx';
import type { FamilyDraft, FamilyProblems } from './family-draft.ts';

const ZONES: readonly string[] = Intl.supportedValuesOf('timeZone');
/** Any tag may be typed; these have a usual voice. */
const LANGUAGES = ['en-GB', 'en-US', 'de-DE'];

export interface FieldsProps {
  draft: FamilyDraft;
  problems: FamilyProblems;
  edit(change: Partial<FamilyDraft>): void;
}

type Texts = Exclude<keyof FamilyDraft, 'engine' | 'waitForAll'>;
type Look = Partial<Pick<Parameters<typeof Field>[0], 'type' | 'hint' | 'known' | 'bounds'>>;

/** @returns a field of the draft under a label */
const fieldsOf =
  ({ draft, problems, edit }: FieldsProps) =>
  (name: Texts, label: string, look: Look = {}) => {
    const problem = problems[name];
    return (
      <Field
        label={label}
        text={draft[name]}
        problem={problem === undefined ? undefined : sentence(problem)}
        onText={(text) => edit({ [name]: text })}
        {...look}
      />
    );
  };

/** @param voiceHint says what is chosen where none is named */
export function WhenAndWho({ voiceHint, ...props }: FieldsProps & { voiceHint: string }) {
  const field = fieldsOf(props);
  return (
    <>
      {field('timeZone', 'Time zone', { known: ZONES, hint: 'Of the family, such as Europe/Berlin' })}
      {field('at', 'Time of day', { type: 'time', hint: 'By the clocks there' })}
      {field('language', 'Language', { known: LANGUAGES, hint: 'Such as en-GB or de-DE' })}
      {field('voice', 'Voice', { hint: voiceHint })}
    </>
  );
}

export function WhatAndHowMuch(props: FieldsProps) {
  const field = fieldsOf(props);
  const { draft, edit } = props;
  return (
    <>
      <Engine engine={draft.engine} choose={(engine) => edit({ engine })} />
      {field('minWords', 'Minimum words', {
        type: 'number',
        bounds: BOUNDS.minWords,
        hint: `From ${BOUNDS.minWords.least} to ${BOUNDS.minWords.most}`,
      })}
      {field('storyLimitUsd', 'Story limit, USD', { hint: 'What one story may cost' })}
      {field('monthLimitUsd', 'Month limit, USD', { hint: 'What all stories of a month may cost' })}
      {field('catchupMinutes', 'Catch-up, minutes', {
        type: 'number',
        bounds: BOUNDS.catchupMinutes,
        hint: 'So late a night is made up for',
      })}
      <label class="check">
        <input
          type="checkbox"
          checked={draft.waitForAll}
          onChange={(event) => edit({ waitForAll: event.currentTarget.checked })}
        />
        The mail waits for picture and voice
      </label>
    </>
  );
}

const Engine = ({ engine, choose }: { engine: SpeechEngine; choose(engine: SpeechEngine): void }) => (
  <label class="field">
    Engine of the voice
    <select value={engine} onChange={(event) => choose(event.currentTarget.value as SpeechEngine)}>
      {SPEECH_ENGINES.map((one) => (
        <option key={one} value={one}>
          {one}
        </option>
      ))}
    </select>
  </label>
);
