/**
 * Bedtime stories: families with their next night, a form for another, and of one of them its book, its cast and its settings.
 * Which is in the address.
 *
 * @module
 */
import { useEffect, useRef } from 'preact/hooks';
import type { FamilyList, FamilyView } from '../../../live/stories.ts';
import { useResource } from '../hooks.ts';
import { ask, Failure } from '../http.ts';
import { query } from '../location.ts';
import { Empty, Problem, Skeleton } from '../parts/notes.tsx';
import { session } from '../session.ts';
import { AddFamily, mayAdd } from './family-add.tsx';
import { StoryFamily } from './story-family.tsx';
import { familyPath } from './story-paths.ts';
import { StorySchedule } from './story-schedule.tsx';

const EVERY_MS = 30_000;

export function Stories() {
  const { data, failure, loading, reload } = useResource(
    'families',
    (stop) => ask<FamilyList>('/families', { pattern: '/families', signal: stop }),
    EVERY_MS,
  );
  const wanted = query.value.get('family');
  const chosen = data?.families.find(({ family }) => family === wanted);
  const shown = chosen?.family;
  /** Undefined: the list. Nothing yet: not known. */
  const before = useRef<{ shown: string | undefined } | undefined>(undefined);
  useEffect(() => {
    document.title = `${shown === undefined ? 'Stories' : `Stories of ${shown}`} · Longhaul`;
    // Another page to whoever goes there, though not to the console: it begins at its heading.
    if (before.current && before.current.shown !== shown) document.querySelector<HTMLElement>('main h1')?.focus();
    if (data) before.current = { shown };
  }, [shown, data === undefined]);
  const known = session.value;
  const adds = known.state === 'known' && mayAdd(known.info);
  if (chosen) return <StoryFamily key={chosen.family} family={chosen} reload={reload} />;
  // Without a heading: who has begun to read at one would lose it when that of the family comes.
  if (!data && loading && wanted !== null) return <Skeleton rows={6} label="Looking for the family" />;
  return (
    <>
      <h1 tabIndex={-1}>Stories</h1>
      {failure && <Problem failure={failure} retry={reload} />}
      {!data && loading && <Skeleton rows={3} label="Looking for families" />}
      {data && wanted !== null && <Problem failure={notThere(wanted)} />}
      {data && data.families.length === 0 && (
        <Empty title="No family gets stories yet">
          <p>{adds ? 'Add one below.' : 'Whoever operates this for all consumers may add one.'}</p>
        </Empty>
      )}
      <ul class="families">
        {data?.families.map((family) => (
          <Row key={family.family} family={family} reload={reload} />
        ))}
      </ul>
      {data && adds && <AddFamily open={data.families.length === 0} reload={reload} />}
    </>
  );
}

const Row = ({ family, reload }: { family: FamilyView; reload(): void }) => (
  <li class="panel">
    <h2>
      <a href={familyPath(family.family)}>{family.family}</a>
    </h2>
    <StorySchedule family={family} reload={reload} />
  </li>
);

const notThere = (family: string): Failure =>
  new Failure(404, 'not-found', `there is no family ${family}`, 'Choose one below, or add it.');
