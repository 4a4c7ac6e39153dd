/**
 * The log of a launch: followed while it is written, searched and filtered by the gateway, downloaded as a whole.
 *
 * @module
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { LogLine } from '../../../live/api.ts';
import { clock, count, counted, moment as momentText } from '../format.ts';
import { useKeys } from '../hooks.ts';
import { query, setQuery } from '../location.ts';
import { Download } from '../parts/download.tsx';
import { Empty, Problem, Skeleton } from '../parts/notes.tsx';
import { Rows } from '../parts/rows.tsx';
import { AttemptChoice, LogSearch, StepChoice, TextFilter } from './log-filters.tsx';
import { cutAtHits, LOG_FILTERS, logFiltersOf } from './log-lines.ts';
import type { SectionProps } from './sections.tsx';
import { useLog } from './use-log.ts';

const ROW = 22;

export function LogsSection({ detail, snapshot }: SectionProps) {
  const filters = logFiltersOf(query.value);
  const [follow, setFollow] = useState(true);
  const [opened, setOpened] = useState<LogLine>();
  const log = useLog(detail.id, filters, follow);
  useKeys({ f: () => setFollow((before) => !before) });
  const { lines, failure } = log;
  const filtered = LOG_FILTERS.some((name) => filters[name] !== undefined);
  return (
    <>
      <div class="filters">
        <LogSearch value={filters.search ?? ''} />
        <StepChoice value={filters.step} steps={snapshot.steps} />
        <TextFilter name="item" label="Item" value={filters.item} />
        <TextFilter name="container" label="Container" value={filters.container} />
        <AttemptChoice
          value={filters.attempt}
          attempts={lines.reduce((most, { attempt }) => Math.max(most, attempt), 1)}
        />
        <label class="check">
          <input
            type="checkbox"
            checked={filters.errors !== undefined}
            onChange={(event) => setQuery({ errors: event.currentTarget.checked ? 'true' : undefined })}
          />
          Errors only
        </label>
        <label class="check">
          <input type="checkbox" checked={follow} onChange={(event) => setFollow(event.currentTarget.checked)} />
          Follow
        </label>
        <Download
          path={`/launches/${encodeURIComponent(detail.id)}/logs?${new URLSearchParams({ ...filters }).toString()}`}
          pattern="/launches/:id/logs"
          accept="text/plain"
          name={`${detail.id}.log`}
        />
      </div>
      {failure && <Problem failure={failure} retry={log.reload} />}
      {log.loading && <Skeleton rows={6} label="Loading the log" />}
      {!log.loading && lines.length === 0 && !failure && (
        <Empty title={filtered ? 'No line matches' : 'Nothing has been logged yet'}>
          {log.open && follow && <p>Lines appear here as they are written.</p>}
        </Empty>
      )}
      {lines.length > 0 && (
        <Rows
          count={lines.length}
          rowHeight={ROW}
          label="Log"
          className="log"
          follow={follow}
          onEnd={(atEnd) => {
            if (log.open) setFollow(atEnd);
          }}
          render={(index) => {
            const line = lines[index];
            return line && <Line key={index} line={line} search={filters.search} open={() => setOpened(line)} />;
          }}
        />
      )}
      {lines.length > 0 && (
        <p class="log-foot figures">
          {counted(lines.length, 'line')}
          {log.dropped > 0 && `; ${count(log.dropped)} earlier ones are no longer here, the download has them`}
          {log.leftOut > 0 && `; ${count(log.leftOut)} left out: choose a step or an item`}
          {log.open ? (follow ? '; following' : '; not following') : '; this is all'}
        </p>
      )}
      {opened && <WholeLine line={opened} close={() => setOpened(undefined)} />}
    </>
  );
}

interface LineProps {
  line: LogLine;
  search: string | undefined;
  open(): void;
}

const Line = ({ line, search, open }: LineProps) => (
  <div class="log-line" onDblClick={open}>
    <time title={momentText(line.at)}>{clock(line.at, true)}</time>
    <span class="log-of" title={`${line.step} ${line.item}, attempt ${line.attempt}, ${line.container}`}>
      {line.step}
      {line.item !== '' && `/${line.item}`}
      {line.attempt > 1 && ` #${line.attempt}`}
    </span>
    <span class="log-text">
      {cutAtHits(line.text, search).map((part, place) => (place % 2 === 1 ? <mark key={place}>{part}</mark> : part))}
    </span>
  </div>
);

function WholeLine({ line, close }: { line: LogLine; close(): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="wide" aria-label="One line of the log" onClose={close}>
      <p class="run-facts">
        <span>{momentText(line.at)}</span>
        <span>{line.step}</span>
        <span>{line.item}</span>
        <span>attempt {line.attempt}</span>
        <span>{line.container}</span>
      </p>
      <pre tabIndex={0} class="wraps">
        {line.text}
      </pre>
      <div class="dialog-buttons">
        <button type="button" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
    </dialog>
  );
}
