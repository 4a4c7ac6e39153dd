/**
 * When a family gets its stories: the next night, the switch, and one more now.
 *
 * @module
 */
import { useState } from 'preact/hooks';
import type { Started } from '../../../live/api.ts';
import type { FamilyView } from '../../../live/stories.ts';
import { money } from '../format.ts';
import { asFailure, ask, type Failure } from '../http.ts';
import { navigate } from '../location.ts';
import { announce } from '../parts/announce.tsx';
import { Confirm } from '../parts/confirm.tsx';
import { Ago } from '../parts/figures.tsx';
import { Problem } from '../parts/notes.tsx';
import { runPath } from '../routes.ts';
import { isOperator } from '../session.ts';
import { familyApi } from './story-paths.ts';

export function StorySchedule({ family, reload }: { family: FamilyView; reload(): void }) {
  const operates = isOperator();
  return (
    <>
      <p class="run-facts">
        <span>
          {family.at}, {family.timeZone}
        </span>
        <span>
          {family.language}, {family.voice}
        </span>
        <Next family={family} />
      </p>
      {operates && (
        <div class="dialog-buttons start">
          <NightSwitch family={family} reload={reload} />
          <MakeOne family={family} />
        </div>
      )}
    </>
  );
}

function Next({ family: { family, schedule, timeZone } }: { family: FamilyView }) {
  const [first] = schedule.next;
  if (schedule.state === 'missing')
    return (
      <span class="bad">
        there is no schedule: switch it on, or <code>longhaul story families set {family}</code>
      </span>
    );
  if (schedule.state === 'paused') return <span>paused</span>;
  if (first === undefined) return <span>no night to come</span>;
  return (
    <span>
      next <Ago at={Date.parse(first)} />, {there(first, timeZone)}
      {schedule.until !== undefined && `; paused until ${schedule.until}`}
    </span>
  );
}

/** By the clocks there, whoever looks from wherever. */
const there = (iso: string, timeZone: string): string =>
  new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
  }).format(Date.parse(iso));

function NightSwitch({ family: { family, schedule }, reload }: { family: FamilyView; reload(): void }) {
  const [state, setState] = useState<{ sending: boolean; failure?: Failure }>({ sending: false });
  const on = schedule.state === 'active' && schedule.until === undefined;
  const change = async (): Promise<void> => {
    setState({ sending: true });
    const how = on ? 'pause' : 'resume';
    try {
      await ask(familyApi(family, `/${how}`), { method: 'POST', pattern: `/families/:family/${how}`, body: {} });
      announce(on ? `${family}: no stories until it is switched on` : `${family}: a story every night`);
      setState({ sending: false });
      reload();
    } catch (error) {
      setState({ sending: false, failure: asFailure(error) });
    }
  };
  return (
    <>
      <button
        type="button"
        role="switch"
        class="switch"
        aria-checked={on}
        disabled={state.sending}
        onClick={() => void change()}
      >
        <span class="switch-knob" aria-hidden="true" />
        Every night<span class="hidden"> for {family}</span>
      </button>
      {state.failure && <Problem failure={state.failure} />}
    </>
  );
}

function MakeOne({ family: { family, storyLimitUsd } }: { family: FamilyView }) {
  const [open, setOpen] = useState(false);
  const make = async (): Promise<void> => {
    const { workflowId } = await ask<Started>('/stories', { method: 'POST', pattern: '/stories', body: { family } });
    announce(`a story for ${family} is begun`);
    navigate(runPath(workflowId));
  };
  return (
    <>
      <button type="button" onClick={() => setOpen(true)}>
        Make one now<span class="hidden"> for {family}</span>
      </button>
      {open && (
        <Confirm title={`One more story for ${family}?`} doIt="Make it" act={make} close={() => setOpen(false)}>
          <p>It may cost up to {money(storyLimitUsd, 'USD')}. Tonight’s comes all the same.</p>
        </Confirm>
      )}
    </>
  );
}
