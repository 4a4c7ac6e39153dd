/**
 * One step: every attempt and submission of it, its jobs, and what failed with the last words of its log.
 *
 * @module
 */
import type { StepView } from '../../../../workflows/progress/model.ts';
import { stepPercent } from '../../../../workflows/progress/picture.ts';
import type { StepDetail } from '../../../live/api.ts';
import { count, counted, mebibytes } from '../format.ts';
import { here } from '../location.ts';
import { Ago, Bar, Took } from '../parts/figures.tsx';
import { sentence } from '../parts/notes.tsx';
import { Status } from '../parts/status.tsx';
import { toneOf } from '../status.ts';

interface PanelProps {
  name: string;
  view: StepView | undefined;
  /** The latest attempt first. */
  attempts: readonly StepDetail[];
  hasLogs: boolean;
}

/** A step of 10,000 failures shows so many; its log has all. */
const FAILURES = 20;
const JOBS = 20;

export const StepPanel = ({ name, view, attempts, hasLogs }: PanelProps) => (
  <aside class="panel" aria-label={`Step ${name}`}>
    <div class="panel-top">
      <h2>{name}</h2>
      <a href={here({ step: undefined })} class="button">
        Close
      </a>
    </div>
    {view && <Now view={view} />}
    {hasLogs && (
      <p>
        <a href={here({ tab: 'logs', step: name })}>Log of this step</a>
      </p>
    )}
    {attempts.map((attempt) => (
      <Attempt key={`${attempt.attempt} ${attempt.generation}`} of={attempt} hasLogs={hasLogs} />
    ))}
  </aside>
);

function Now({ view }: { view: StepView }) {
  const { items, tasks = [] } = view;
  return (
    <>
      <p class="run-facts">
        <Status status={view.state} endedAt={view.endedAt} />
        {view.attempt !== undefined && view.attempt > 1 && <span>attempt {view.attempt}</span>}
        {view.startedAt !== undefined && (
          <span>
            begun <Ago at={view.startedAt} />, took <Took from={view.startedAt} to={view.endedAt} />
          </span>
        )}
      </p>
      <Bar percent={stepPercent(view)} label={`Progress of ${view.name}`} tone={toneOf(view.state)} />
      {items && (
        <p class="figures">
          {count(items.succeeded)} of {counted(items.total, 'item')} done
          {items.running > 0 && `, ${count(items.running)} running`}
          {items.failed > 0 && `, ${count(items.failed)} failed`}
          {items.cached !== undefined && items.cached > 0 && `, ${count(items.cached)} known before`}
        </p>
      )}
      {view.message !== undefined && <p>{view.message}</p>}
      {view.cause !== undefined && <p class="bad">{sentence(view.cause)}</p>}
      {view.stuck && (
        <p class="note note-wait">
          <span>
            {sentence(view.stuck.reason)} {sentence(view.stuck.remedy)}
          </span>
        </p>
      )}
      {view.after && view.after.length > 0 && <After names={view.after} />}
      {tasks.length > 0 && (
        <ul class="figures">
          {tasks.map((task) => (
            <li key={task.name}>
              {task.name}: {count(task.succeeded)} of {count(task.total)}
              {task.failed > 0 && `, ${count(task.failed)} failed`}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

const After = ({ names }: { names: readonly string[] }) => (
  <p>
    after{' '}
    {names.slice(0, 12).map((name, place) => (
      <span key={name}>
        {place > 0 && ', '}
        <a href={here({ step: name })}>{name}</a>
      </span>
    ))}
    {names.length > 12 && ` and ${counted(names.length - 12, 'other')}`}
  </p>
);

function Attempt({ of, hasLogs }: { of: StepDetail; hasLogs: boolean }) {
  const { attempt, generation, state, jobs, failures, image, vcpus, memoryMib, cached, reused = {} } = of;
  const asked = [vcpus !== undefined && `${vcpus} vCPU`, memoryMib !== undefined && mebibytes(memoryMib)].filter(
    Boolean,
  );
  return (
    <section class="attempt" aria-label={`Attempt ${attempt}, submission ${generation}`}>
      <h3>
        Attempt {attempt}
        {generation > 1 && `, submission ${generation}`} <Status status={state} />
      </h3>
      <dl class="facts">
        {of.computeService !== undefined && <Fact name="Compute">{[of.computeService, ...asked].join(', ')}</Fact>}
        {image !== undefined && (
          <Fact name="Image">
            <code>{image}</code>
          </Fact>
        )}
        {cached !== undefined && cached > 0 && <Fact name="Known before">{counted(cached, 'item')}</Fact>}
        {Object.entries(reused).map(([from, items]) => (
          <Fact key={from} name={`From ${from}`}>
            {counted(items, 'item')}
          </Fact>
        ))}
        {Object.entries(of.failedJobs ?? {}).map(([cause, number]) => (
          <Fact key={cause} name={cause}>
            {counted(number, 'job')} failed
          </Fact>
        ))}
      </dl>
      {jobs.length > 0 && <Jobs jobs={jobs} />}
      {failures.slice(0, FAILURES).map((failure) => (
        <div key={`${failure.item} ${failure.generation} ${failure.jobId}`} class="failure">
          <p>
            <strong>{failure.item || 'The step'}</strong>: {failure.cause}
            {failure.exitCode !== undefined && `, exit code ${failure.exitCode}`}
            {failure.container !== undefined && `, in ${failure.container}`}
          </p>
          <p>{sentence(failure.reason)}</p>
          {failure.lastLogLines.length > 0 && <pre tabIndex={0}>{failure.lastLogLines.join('\n')}</pre>}
          {hasLogs && failure.item !== '' && (
            <a href={here({ tab: 'logs', step: of.step, item: failure.item })}>Log of this item</a>
          )}
        </div>
      ))}
      {failures.length > FAILURES && <p>{counted(failures.length - FAILURES, 'more failure')} in the log.</p>}
    </section>
  );
}

const Jobs = ({ jobs }: { jobs: StepDetail['jobs'] }) => (
  <details>
    <summary>{counted(jobs.length, 'job')}</summary>
    <ul class="figures">
      {jobs.slice(0, JOBS).map((job) => (
        <li key={job.id}>
          <code>{job.id}</code>, {counted(job.items, 'item')}
          {job.memoryMib !== undefined && `, ${mebibytes(job.memoryMib)}`}, sent{' '}
          <Ago at={Date.parse(job.submittedAt)} />
        </li>
      ))}
      {jobs.length > JOBS && <li>and {count(jobs.length - JOBS)} more</li>}
    </ul>
  </details>
);

const Fact = ({ name, children }: { name: string; children: preact.ComponentChildren }) => (
  <>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </>
);
