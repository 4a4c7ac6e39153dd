/**
 * Characters and scenes of a family: added, described, removed. What does not do for a name is said beside the field, before
 * anything is sent.
 *
 * @module
 */
import { useRef, useState } from 'preact/hooks';
import { checkLooks, checkName } from '../../../../lib/story/names.ts';
import type { CardList, CardView, FamilyView } from '../../../live/stories.ts';
import { useResource } from '../hooks.ts';
import { asFailure, ask, type Failure } from '../http.ts';
import { announce } from '../parts/announce.tsx';
import { Confirm } from '../parts/confirm.tsx';
import { Field } from '../parts/field.tsx';
import { Problem, Skeleton, sentence } from '../parts/notes.tsx';
import { isOperator } from '../session.ts';
import { familyApi } from './story-paths.ts';

type Kind = 'characters' | 'scenes';
const ONE: Readonly<Record<Kind, string>> = { characters: 'character', scenes: 'scene' };

export function StoryCards({ kind, family: { family } }: { kind: Kind; family: FamilyView }) {
  const path = familyApi(family, `/${kind}`);
  const { data, failure, loading, reload } = useResource(path, (stop) =>
    ask<CardList>(path, { pattern: `/families/:family/${kind}`, signal: stop }),
  );
  const operates = isOperator();
  return (
    <>
      {failure && <Problem failure={failure} retry={reload} />}
      {!data && loading && <Skeleton rows={6} label="Looking them up" />}
      {operates && data && <AddCard kind={kind} path={path} reload={reload} />}
      <ul class="story-cards">
        {data?.cards.map((card) => (
          <li key={card.card}>
            {operates ? <CardForm kind={kind} path={path} card={card} reload={reload} /> : <Plain card={card} />}
          </li>
        ))}
      </ul>
    </>
  );
}

const Plain = ({ card: { name, looks } }: { card: CardView }) => (
  <>
    <h3>{name}</h3>
    {looks !== undefined && <p>{looks}</p>}
  </>
);

interface FormProps {
  kind: Kind;
  path: string;
  reload(): void;
}

/** @returns what is wrong with it */
function problemOf(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    return sentence(asFailure(error).message);
  }
}

function AddCard({ kind, path, reload }: FormProps) {
  const [name, setName] = useState('');
  const [looks, setLooks] = useState('');
  const [state, setState] = useState<{ sending: boolean; asked: boolean; failure?: Failure }>({
    sending: false,
    asked: false,
  });
  const first = useRef<HTMLInputElement>(null);
  const nameProblem = state.asked || name !== '' ? problemOf(() => checkName(kind, name)) : undefined;
  const looksProblem = problemOf(() => checkLooks(looks));
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setState({ sending: false, asked: true });
    if (problemOf(() => checkName(kind, name)) !== undefined || looksProblem !== undefined) return;
    setState({ sending: true, asked: true });
    try {
      await ask(path, { method: 'POST', pattern: `/families/:family/${kind}`, body: { name, looks } });
      announce(`${name} is added`);
      setName('');
      setLooks('');
      setState({ sending: false, asked: false });
      first.current?.focus();
      reload();
    } catch (error) {
      setState({ sending: false, asked: true, failure: asFailure(error) });
    }
  };
  return (
    <form class="panel story-card" onSubmit={(event) => void submit(event)}>
      <h2>Add a {ONE[kind]}</h2>
      <p class="quiet-text">
        A made-up name of a few plain words, no real child’s: it goes to those who write and draw.
      </p>
      <Field label="Name" text={name} onText={setName} problem={nameProblem} field={first} />
      <Field label="Looks" text={looks} onText={setLooks} problem={looksProblem} />
      {state.failure && <Problem failure={state.failure} />}
      <div class="dialog-buttons start">
        <button type="submit" class="primary" disabled={state.sending}>
          {state.sending ? 'Adding…' : `Add the ${ONE[kind]}`}
        </button>
      </div>
    </form>
  );
}

function CardForm({ kind, path, card, reload }: FormProps & { card: CardView }) {
  const { name, looks: known = '' } = card;
  const [looks, setLooks] = useState(known);
  const [removing, setRemoving] = useState(false);
  const [state, setState] = useState<{ sending: boolean; failure?: Failure }>({ sending: false });
  const problem = problemOf(() => checkLooks(looks));
  const place = `${path}/${encodeURIComponent(card.card)}`;
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (problem !== undefined) return;
    setState({ sending: true });
    try {
      await ask(place, { method: 'POST', pattern: `/families/:family/${kind}/:card`, body: { looks } });
      announce(`how ${name} looks is kept`);
      setState({ sending: false });
      reload();
    } catch (error) {
      setState({ sending: false, failure: asFailure(error) });
    }
  };
  const remove = async (): Promise<void> => {
    await ask(`${place}/remove`, { method: 'POST', pattern: `/families/:family/${kind}/:card/remove`, body: {} });
    announce(`${name} is removed`);
    reload();
  };
  return (
    <form class="story-card" aria-label={name} onSubmit={(event) => void save(event)}>
      <h3>{name}</h3>
      <Field label="Looks" of={name} text={looks} onText={setLooks} problem={problem} />
      <div class="dialog-buttons start">
        <button type="submit" disabled={state.sending || looks.trim() === known}>
          Save<span class="hidden"> how {name} looks</span>
        </button>
        <button type="button" class="danger" onClick={() => setRemoving(true)}>
          Remove<span class="hidden"> {name}</span>
        </button>
      </div>
      {state.failure && <Problem failure={state.failure} />}
      {removing && (
        <Confirm title={`Remove ${name}?`} doIt="Remove" danger act={remove} close={() => setRemoving(false)}>
          <p>No story draws this {ONE[kind]} any more. Those that have it stay as they are.</p>
        </Confirm>
      )}
    </form>
  );
}
