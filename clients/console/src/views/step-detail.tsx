/**
 * What is known of a step beyond its row: its attempts, the jobs of each generation, and what failed.
 *
 * @module
 */

import type { StepView } from '../../../../workflows/progress/model.ts';
import './steps-table.css';
import type { StepDetail as Detail } from '../../../live/api.ts';
import { duration, mebibytes } from '../format.ts';
import { StateBadge } from './parts.tsx';
import { formatMoment, timesOf } from './time-format.ts';

export interface StepDetailProps {
  step: StepView;
  /** Of every attempt, the latest first. */
  details: readonly Detail[];
}

/** More failures are counted only: all of them are a question for the logs. */
const FAILURES = 20;
const JOBS = 50;

export function StepDetail({ step, details }: StepDetailProps) {
  const times = timesOf(step);
  return (
    <div class="st-detail">
      <dl>
        {times.map(
          ([name, at]) =>
            at !== undefined && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{formatMoment(at)}</dd>
              </div>
            ),
        )}
        {step.submittedAt !== undefined && step.startedAt !== undefined && (
          <div>
            <dt>waited</dt>
            <dd>{duration(step.startedAt - step.submittedAt)}</dd>
          </div>
        )}
        {step.after && step.after.length > 0 && (
          <div>
            <dt>after</dt>
            <dd>
              {step.after.slice(0, 12).join(', ')}
              {step.after.length > 12 && ` and ${step.after.length - 12} more`}
            </dd>
          </div>
        )}
      </dl>
      {step.message !== undefined && <p>{step.message}</p>}
      {step.cause !== undefined && <p class="st-failure">{step.cause}</p>}
      {step.stuck && (
        <p>
          ⚠ {step.stuck.reason}, since {formatMoment(step.stuck.since)}. {step.stuck.remedy}
        </p>
      )}
      {step.tasks && step.tasks.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">Task</th>
              <th scope="col">Succeeded</th>
              <th scope="col">Running</th>
              <th scope="col">Failed</th>
            </tr>
          </thead>
          <tbody>
            {step.tasks.map((task) => (
              <tr key={task.name}>
                <td>{task.name}</td>
                <td>
                  {task.succeeded} of {task.total}
                </td>
                <td>{task.running}</td>
                <td>{task.failed}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {details.map((detail) => (
        <Attempt key={detail.attempt} detail={detail} />
      ))}
    </div>
  );
}

function Attempt({ detail }: { detail: Detail }) {
  const facts = [
    ['service', detail.computeService],
    ['image', detail.image],
    ['vCPUs', detail.vcpus],
    ['memory', detail.memoryMib === undefined ? undefined : mebibytes(detail.memoryMib)],
    ['from the cache', detail.cached || undefined],
  ] as const;
  return (
    <section>
      <h4>
        Attempt {detail.attempt} <StateBadge state={detail.state} />
      </h4>
      <dl>
        {facts.map(
          ([name, value]) =>
            value !== undefined && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
      {detail.jobs.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">Generation</th>
              <th scope="col">Job</th>
              <th scope="col">Items</th>
              <th scope="col">Memory</th>
              <th scope="col">Submitted</th>
            </tr>
          </thead>
          <tbody>
            {detail.jobs.slice(0, JOBS).map((job) => (
              <tr key={job.id}>
                <td>{job.generation}</td>
                <td>
                  {job.name} <code>{job.id}</code>
                </td>
                <td>{job.items}</td>
                <td>{job.memoryMib === undefined ? '' : mebibytes(job.memoryMib)}</td>
                <td>{formatMoment(Date.parse(job.submittedAt))}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {detail.jobs.length > JOBS && <p>and {detail.jobs.length - JOBS} jobs more</p>}
      {detail.failures.slice(0, FAILURES).map((failure) => (
        <div key={`${failure.jobId}/${failure.item}/${failure.generation}`} class="st-failure">
          <strong>{failure.item}</strong>: {failure.cause}, generation {failure.generation}
          {failure.exitCode !== undefined && `, exit code ${failure.exitCode}`}
          <div>{failure.reason}</div>
          {failure.lastLogLines.length > 0 && <pre>{failure.lastLogLines.join('\n')}</pre>}
        </div>
      ))}
      {detail.failures.length > FAILURES && <p>and {detail.failures.length - FAILURES} failures more</p>}
    </section>
  );
}
