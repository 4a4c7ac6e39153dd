/**
 * The book of a family: titles of all its stories, what came with each, what it cost, and the way to those that can be read.
 *
 * @module
 */
import { useState } from 'preact/hooks';
import { partWords } from '../../../../workflows/story/details.ts';
import { PARTS, type Part, type PartState } from '../../../../workflows/story/model.ts';
import type { Book, BookRow, StoryLink } from '../../../live/stories.ts';
import { money } from '../format.ts';
import { useResource } from '../hooks.ts';
import { asFailure, ask, type Failure } from '../http.ts';
import { query, setQuery } from '../location.ts';
import { Icon } from '../parts/icon.tsx';
import { Empty, Problem, Skeleton } from '../parts/notes.tsx';
import { Status } from '../parts/status.tsx';
import { Table } from '../parts/table.tsx';
import { runPath } from '../routes.ts';
import { isOperator } from '../session.ts';
import type { Tone } from '../status.ts';

const PAGE = 30;
const EVERY_MS = 10_000;
const NAMES: Readonly<Record<Part, string>> = { image: 'Picture', audio: 'Voice', mail: 'Mail', event: 'Event' };
const TONES: Readonly<Record<PartState, Tone>> = {
  PENDING: 'busy',
  READY: 'good',
  STOCK: 'good',
  NONE: 'off',
  UNCERTAIN: 'wait',
  FAILED: 'bad',
};

export function StoryBook({ family }: { family: string }) {
  const before = query.value.get('before');
  const asked = new URLSearchParams({ family, limit: String(PAGE), ...(before && { before }) }).toString();
  const { data, failure, loading, reload } = useResource(
    asked,
    (stop) => ask<Book>(`/stories?${asked}`, { pattern: '/stories', signal: stop }),
    EVERY_MS,
  );
  const next = data?.next;
  return (
    <>
      {failure && <Problem failure={failure} retry={reload} />}
      {!data && loading && <Skeleton rows={6} label="Opening the book" />}
      {data?.stories.length === 0 && (
        <Empty title="No stories yet">
          <p>The first one comes by itself, at the next night.</p>
        </Empty>
      )}
      {data && data.stories.length > 0 && (
        <Table label="Book" head={['Title', 'Status', 'Parts', 'Words', 'Cost', 'Text']}>
          {data.stories.map((row) => (
            <Row key={row.storyId} row={row} />
          ))}
        </Table>
      )}
      {next !== undefined && (
        <button type="button" class="more" onClick={() => setQuery({ before: next }, 'push')}>
          Older stories
        </button>
      )}
    </>
  );
}

const Row = ({ row }: { row: BookRow }) => (
  <tr>
    <th scope="row" class="file-name">
      <a href={runPath(row.workflowId)}>{row.title ?? 'No title'}</a>
      <small>
        {/^\d{4}-/.test(row.night) && row.night.length === 10 ? row.night : `${row.createdAt.slice(0, 10)}, by hand`}
        {row.flagged && ', something was flagged'}
      </small>
    </th>
    <td>
      <Status status={row.status} />
    </td>
    <td>
      <Parts row={row} />
    </td>
    <td>{row.words ?? '–'}</td>
    <td>{row.cost === undefined ? '–' : money(row.cost, 'USD')}</td>
    <td>
      <Read row={row} />
    </td>
  </tr>
);

function Parts({ row: { parts } }: { row: BookRow }) {
  if (!parts) return <>–</>;
  return (
    <span class="story-parts">
      {PARTS.map((part) => {
        const tone = TONES[parts[part]];
        const words = partWords(part, parts[part]);
        return (
          <span key={part} class={`t-${tone}`} title={`${NAMES[part]}: ${words}`}>
            <Icon name={tone} /> {NAMES[part]}
            <span class="hidden">: {words}</span>
          </span>
        );
      })}
    </span>
  );
}

function Read({ row: { storyId, readable, title } }: { row: BookRow }) {
  const [failure, setFailure] = useState<Failure>();
  if (!readable) return <>gone</>;
  if (!isOperator()) return <>readable</>;
  const open = async (): Promise<void> => {
    // At once: a tab that is opened later, when the link is there, is taken for an advertisement.
    const tab = window.open('', '_blank');
    try {
      const { url } = await ask<StoryLink>(`/stories/${storyId}/link`, {
        method: 'POST',
        pattern: '/stories/:family/:night/link',
        body: {},
      });
      if (!tab || !/^https?:/.test(url)) return;
      tab.opener = null;
      tab.location.replace(url);
    } catch (error) {
      tab?.close();
      setFailure(asFailure(error));
    }
  };
  return (
    <>
      <button type="button" class="small" onClick={() => void open()}>
        Read <Icon name="outside" />
        <span class="hidden">{title ?? storyId} (opens a new tab)</span>
      </button>
      {failure && <Problem failure={failure} />}
    </>
  );
}
