/**
 * The head of a run's page: what it is, how far, what holds it up, what can be done.
 *
 * @module
 */
import type { Snapshot } from '../../../../workflows/progress/model.ts';
import type { RunLink } from '../../../live/api.ts';
import type { Resume } from '../../../live/protocol.ts';
import { counted, countText, money } from '../format.ts';
import { now } from '../hooks.ts';
import { connection } from '../live.ts';
import { here } from '../location.ts';
import { Ago, Bar, Took } from '../parts/figures.tsx';
import { Icon } from '../parts/icon.tsx';
import { sentence } from '../parts/notes.tsx';
import { Status } from '../parts/status.tsx';
import { resumeText } from '../resume-text.ts';
import { runPath } from '../routes.ts';
import { isOver, toneOf } from '../status.ts';
import { RunActions } from './run-actions.tsx';
import { type AnyDetail, isBehind } from './run-detail.ts';

interface HeaderProps {
  detail: AnyDetail;
  snapshot: Snapshot;
  moment: number | undefined;
  resume: Resume | undefined;
  reload(): void;
}

export function RunHeader({ detail, snapshot, moment, resume, reload }: HeaderProps) {
  const { status, waitingFor, percent, message, etaAt, endedAt, attempt } = snapshot;
  const over = isOver(snapshot);
  return (
    <header class="run-top">
      <nav class="crumbs" aria-label="Where this is">
        <a href="/">Runs</a> <span aria-hidden="true">/</span> <a href={`/?domain=${detail.domain}`}>{detail.domain}</a>
      </nav>
      <div class="run-title">
        <h1 tabIndex={-1}>{detail.id || detail.workflowId}</h1>
        <Status status={status} waitingFor={waitingFor} endedAt={endedAt} />
        {moment === undefined && <LiveNote over={over} resume={resume} />}
        {moment === undefined && !isBehind(detail, snapshot) && <RunActions detail={detail} reload={reload} />}
      </div>
      <p class="run-facts">
        {[detail.workflowType, detail.computeService, detail.consumer].filter(Boolean).map((fact) => (
          <span key={fact}>{fact}</span>
        ))}
        <span>attempt {attempt}</span>
        <span>
          begun <Ago at={snapshot.startedAt} />
        </span>
        <span>
          {over ? 'took ' : 'for '}
          <Took from={snapshot.startedAt} to={moment ?? (over ? (endedAt ?? snapshot.changedAt) : undefined)} />
        </span>
        {snapshot.cost && (
          <span>
            {money(snapshot.cost.total, snapshot.cost.currency)}
            {snapshot.cost.status === 'PENDING' && ' so far'}
          </span>
        )}
        {detail.links.map((link) => (
          <Link key={`${link.what} ${link.label}`} link={link} />
        ))}
      </p>
      {(percent !== undefined || !over) && (
        <div class="run-percent">
          <Bar percent={percent ?? 0} label="Progress of the run" tone={toneOf(status, over)} />
          {!over && moment === undefined && etaAt !== undefined && <Eta at={etaAt} />}
        </div>
      )}
      {message !== undefined && <p class="run-message">{message}</p>}
      <Counts snapshot={snapshot} />
      <Trouble snapshot={snapshot} explains={detail.domain === 'launch'} />
    </header>
  );
}

const Eta = ({ at }: { at: number }) => (
  <span class="figure">
    {at > now.value ? (
      <>
        done <Ago at={at} />
      </>
    ) : (
      'should be done any moment'
    )}
  </span>
);

function LiveNote({ over, resume }: { over: boolean; resume: Resume | undefined }) {
  const text = resume && resumeText(resume);
  if (over && text === undefined) return null;
  return (
    <span class="live-note">
      {!over && (connection.value === 'open' ? 'live' : connection.value === 'lost' ? 'offline' : 'connecting')}
      {!over && text !== undefined && ' · '}
      {text}
    </span>
  );
}

function Link({ link: { workflowId, href, label } }: { link: RunLink }) {
  if (workflowId !== undefined) return <a href={runPath(workflowId)}>{label}</a>;
  if (href === undefined || !/^https?:/.test(href)) return null;
  return (
    <a href={href} target="_blank" rel="noreferrer">
      {label} <Icon name="outside" />
      <span class="hidden"> (opens a new tab)</span>
    </a>
  );
}

const Counts = ({ snapshot: { counts, steps } }: { snapshot: Snapshot }) => {
  const entries = Object.entries(counts ?? {});
  if (entries.length === 0) return null;
  return (
    <p class="run-facts">
      {entries.map(([name, value]) => (
        <span key={name}>{countText(name, value)}</span>
      ))}
      {steps.length > 0 && <span>{counted(steps.length, 'step')}</span>}
    </p>
  );
};

/** Why it has failed, or what keeps it: with the way to more. */
function Trouble({ snapshot, explains }: { snapshot: Snapshot; explains: boolean }) {
  const { error } = snapshot;
  const stuck = snapshot.steps.filter((step) => step.stuck !== undefined);
  const [first] = stuck;
  if (!error && !first?.stuck) return null;
  return (
    <div class={`note note-${error ? 'bad' : 'wait'}`}>
      <Icon name="warning" />
      <div>
        {error && (
          <p>
            <strong>{error.type}</strong>: {error.message}
          </p>
        )}
        {!error && first?.stuck && (
          <>
            <p>
              <a href={here({ tab: 'steps', step: first.name })}>{first.name}</a> waits since{' '}
              <Ago at={first.stuck.since} />: {sentence(first.stuck.reason)}
              {stuck.length > 1 && ` So do ${counted(stuck.length - 1, 'other')}.`}
            </p>
            <p>{sentence(first.stuck.remedy)}</p>
          </>
        )}
        {explains && (
          <p>
            <a href={here({ tab: 'explain' })}>Explain</a>
          </p>
        )}
      </div>
    </div>
  );
}
