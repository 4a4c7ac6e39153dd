/**
 * A sheet is pasted or chosen, checked, and launched.
 *
 * @module
 */
import { useRef, useState } from 'preact/hooks';
import type { CostEstimate, PreflightAnswer, SheetBody, Started } from '../../../live/api.ts';
import { count, counted } from '../format.ts';
import { asFailure, ask, type Failure } from '../http.ts';
import { navigate } from '../location.ts';
import { announce } from '../parts/announce.tsx';
import { Note, Problem } from '../parts/notes.tsx';
import { runPath } from '../routes.ts';
import { mayOperate, session } from '../session.ts';
import { Estimate } from './estimate.tsx';
import { Findings } from './findings.tsx';

/** The gateway takes no more. */
const MOST_BYTES = 1024 * 1024;

interface State {
  doing?: 'checking' | 'launching';
  /** Of the text that was checked. */
  checked?: { of: string; answer: PreflightAnswer; estimate?: CostEstimate };
  failure?: Failure;
}

export function NewLaunch() {
  const [sheet, setSheet] = useState('');
  const [launchId, setLaunchId] = useState('');
  const [noCache, setNoCache] = useState(false);
  const [state, setState] = useState<State>({});
  const known = session.value;
  if (known.state === 'known' && !mayOperate(known.info))
    return (
      <>
        <h1 tabIndex={-1}>New launch</h1>
        <Note tone="wait">Your role is viewer: an operator may launch.</Note>
      </>
    );
  const body: SheetBody = { sheet, ...(launchId !== '' && { launchId }), ...(noCache && { noCache }) };
  const of = JSON.stringify(body);
  const tooLong = new Blob([sheet]).size > MOST_BYTES;
  const checked = state.checked?.of === of ? state.checked : undefined;

  const check = async (): Promise<void> => {
    setState({ doing: 'checking' });
    try {
      const answer = await ask<PreflightAnswer>('/launches/preflight', {
        method: 'POST',
        body,
        pattern: '/launches/preflight',
      });
      setState({ checked: { of, answer } });
      // It takes longer, and its failure is no reason not to launch.
      if (answer.ok) void estimateOf(sheet).then((estimate) => setState((now) => withEstimate(now, of, estimate)));
      announce(answer.ok ? 'The sheet can be launched' : counted(answer.findings.length, 'finding'));
    } catch (error) {
      setState({ failure: asFailure(error) });
    }
  };
  const launch = async (): Promise<void> => {
    setState((before) => ({ ...(before.checked && { checked: before.checked }), doing: 'launching' }));
    try {
      const started = await ask<Started>('/launches', { method: 'POST', body, pattern: '/launches' });
      announce(started.outcome === 'existing' ? 'This launch was there already' : 'Launched');
      navigate(runPath(started.workflowId));
    } catch (error) {
      setState({ failure: asFailure(error) });
    }
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    void check();
  };
  const busy = state.doing !== undefined;
  const ready = sheet.trim() !== '' && !tooLong && !busy;
  return (
    <form class="new" onSubmit={submit}>
      <h1 tabIndex={-1}>New launch</h1>
      <Choose take={setSheet} />
      <label class="field">
        Sheet (YAML or JSON)
        <textarea
          class="sheet"
          rows={18}
          spellcheck={false}
          autocomplete="off"
          aria-invalid={tooLong}
          value={sheet}
          placeholder={'workflowType: steps\nconsumer: lab-a\n…'}
          onInput={(event) => setSheet(event.currentTarget.value)}
        />
      </label>
      {tooLong && <p class="field-problem">The sheet is longer than {count(MOST_BYTES)} bytes.</p>}
      <div class="filters">
        <label class="choice">
          <span class="filter-name">Launch id</span>
          <input
            type="text"
            placeholder="of the sheet"
            pattern="[A-Za-z0-9][A-Za-z0-9_\-]{0,63}"
            title="Letters, digits, - and _, at most 64"
            value={launchId}
            onInput={(event) => setLaunchId(event.currentTarget.value.trim())}
          />
        </label>
        <label class="check">
          <input type="checkbox" checked={noCache} onChange={(event) => setNoCache(event.currentTarget.checked)} />
          Use nothing that other launches have made
        </label>
      </div>
      {state.failure && <Problem failure={state.failure} />}
      {checked && <Findings answer={checked.answer} />}
      {checked?.estimate && <Estimate estimate={checked.estimate} />}
      <div class="dialog-buttons start">
        <button type="submit" disabled={!ready}>
          {state.doing === 'checking' ? 'Checking…' : 'Check it first'}
        </button>
        <button type="button" class="primary" disabled={!ready} onClick={() => void launch()}>
          {state.doing === 'launching' ? 'Launching…' : 'Launch'}
        </button>
      </div>
    </form>
  );
}

const estimateOf = (sheet: string): Promise<CostEstimate | undefined> =>
  ask<CostEstimate>('/costs/estimate', { method: 'POST', body: { sheet }, pattern: '/costs/estimate' }).catch(
    () => undefined,
  );

const withEstimate = (state: State, of: string, estimate: CostEstimate | undefined): State =>
  state.checked?.of === of && estimate ? { ...state, checked: { ...state.checked, estimate } } : state;

function Choose({ take }: { take(text: string): void }) {
  const field = useRef<HTMLInputElement>(null);
  const [problem, setProblem] = useState<string>();
  const choose = async (): Promise<void> => {
    const file = field.current?.files?.[0];
    if (!file) return;
    if (file.size > MOST_BYTES) setProblem(`${file.name} is longer than ${count(MOST_BYTES)} bytes.`);
    else {
      setProblem(undefined);
      take(await file.text());
    }
  };
  return (
    <label class="field">
      Choose a file, or paste below
      <input ref={field} type="file" accept=".yaml,.yml,.json" onChange={() => void choose()} />
      {problem !== undefined && <span class="field-problem">{problem}</span>}
    </label>
  );
}
