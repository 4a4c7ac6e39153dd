/**
 * What a launch has cost: by step and resource, and what of it was lost.
 *
 * @module
 */
import type { CostView } from '../../../live/api.ts';
import type { CostOfCurrency } from '../../../live/costs.ts';
import { count, duration, money } from '../format.ts';
import { useResource } from '../hooks.ts';
import { ask } from '../http.ts';
import { here } from '../location.ts';
import { Note, Problem, Skeleton, sentence } from '../parts/notes.tsx';
import { Table } from '../parts/table.tsx';
import type { SectionProps } from './sections.tsx';

/** Of a wide launch; the API has all. */
const RESOURCES = 50;
const STEPS = 200;
const LOST = ['failed', 'host-lost', 'superseded', 'cancelled', 'packing', 'idle'] as const;
const EVERY_MS = 30_000;

export function CostSection({ detail }: SectionProps) {
  const pending = detail.cost?.status !== 'FINAL';
  const { data, failure, reload } = useResource(
    `${detail.id} ${detail.attempt} ${detail.cost?.total}`,
    (stop) =>
      ask<CostView>(`/launches/${encodeURIComponent(detail.id)}/cost`, { pattern: '/launches/:id/cost', signal: stop }),
    pending ? EVERY_MS : undefined,
  );
  if (failure?.status === 409)
    return (
      <Note>
        <p>
          <strong>{sentence(failure.message)}</strong>
        </p>
        <p>{sentence(failure.remedy)}</p>
      </Note>
    );
  if (failure && !data) return <Problem failure={failure} retry={reload} />;
  if (!data) return <Skeleton rows={5} label="Loading the cost" />;
  return (
    <>
      <p class="cost-total">
        <strong>{money(data.cost['total_cost'] ?? '0', data.currency ?? '')}</strong>
        {data.costStatus === 'PENDING' && ' not final: instances still run, or the bill is awaited'}
        {data.attempts > 1 && `, of ${count(data.attempts)} attempts`}
      </p>
      {data.currencies.map((one) => (
        <OfCurrency key={one.currency} of={one} />
      ))}
      {data.spotSavings.map(({ type, region, saved, onDemand, currency }) => (
        <p key={`${type} ${region}`}>
          Spot {type} in {region}: {money(saved, currency)} less than the {money(onDemand, currency)} of on-demand.
        </p>
      ))}
      {data.actual && (
        <p>
          By the bill {money(data.actual.cost, data.currency ?? '')}
          {data.actual.difference !== undefined &&
            `, ${money(data.actual.difference, data.currency ?? '')} more than was estimated for what is tagged`}
          .
        </p>
      )}
      {data.unpriced.length > 0 && (
        <Note tone="wait">
          <strong>Not priced, and not in the total</strong>
          {data.unpriced.map(({ resource, component, reason, remedy }) => (
            <p key={`${resource} ${component}`}>
              {resource} ({component}): {sentence(reason)} {sentence(remedy)}
            </p>
          ))}
        </Note>
      )}
    </>
  );
}

function OfCurrency({ of: { currency, ways, steps, resources } }: { of: CostOfCurrency }) {
  const lost = LOST.filter((way) => Number(ways[way] ?? 0) > 0);
  return (
    <>
      <h2>What was lost</h2>
      {lost.length === 0 ? (
        <p>Nothing.</p>
      ) : (
        <dl class="facts figures">
          {lost.map((way) => (
            <>
              <dt key={way}>{LOST_WORDS[way]}</dt>
              <dd key={`${way} amount`}>{money(ways[way] ?? '0', currency)}</dd>
            </>
          ))}
        </dl>
      )}
      <Table label="By step" head={['Step', 'Cost', 'Lost', 'Packing', 'Idle', 'Worked']}>
        {steps.slice(0, STEPS).map((step) => (
          <tr key={step.step ?? ''}>
            <th scope="row">
              {step.step === undefined ? (
                'No step alone'
              ) : (
                <a href={here({ tab: 'steps', step: step.step })}>{step.step}</a>
              )}
            </th>
            <td>{money(step.cost, currency)}</td>
            <td title={lostText(step.lostBy, currency)}>{some(step.lost, currency)}</td>
            <td>{some(step.packing, currency)}</td>
            <td>{some(step.idle, currency)}</td>
            <td>{step.step === undefined ? '' : duration(step.seconds * 1000)}</td>
          </tr>
        ))}
      </Table>
      <Table label="By resource" head={['Resource', 'Type', 'Market', 'Where', 'Cost', 'Lost', 'Idle', 'Hours']}>
        {resources.slice(0, RESOURCES).map((one) => (
          <tr key={`${one.component} ${one.resource} ${one.resourceType}`}>
            <th scope="row">{one.resource}</th>
            <td>{one.resourceType}</td>
            <td>{one.market ?? ''}</td>
            <td>{one.zone ?? one.region}</td>
            <td>{money(one.cost, currency)}</td>
            <td>{some(one.lost, currency)}</td>
            <td>{some(one.idle, currency)}</td>
            <td>{one.hours?.toFixed(2) ?? ''}</td>
          </tr>
        ))}
      </Table>
      {resources.length > RESOURCES && <p>And {count(resources.length - RESOURCES)} cheaper ones.</p>}
    </>
  );
}

const LOST_WORDS: Readonly<Record<(typeof LOST)[number], string>> = {
  failed: 'Attempts that failed',
  'host-lost': 'Hosts that were lost',
  superseded: 'Attempts that others overtook',
  cancelled: 'Attempts that were cancelled',
  packing: 'Parts of hosts that no job fits in',
  idle: 'Hosts without work',
};

const some = (amount: string, currency: string): string => (Number(amount) === 0 ? '–' : money(amount, currency));

const lostText = (lostBy: Readonly<Record<string, string>>, currency: string): string =>
  Object.entries(lostBy)
    .map(([outcome, amount]) => `${outcome}: ${money(amount, currency)}`)
    .join(', ');
