/**
 * Why a launch is where it is, as `longhaul launch explain` has it.
 *
 * @module
 */
import type { Explanation } from '../../../live/api.ts';
import { useResource } from '../hooks.ts';
import { ask } from '../http.ts';
import { here } from '../location.ts';
import { Problem, Skeleton, sentence } from '../parts/notes.tsx';
import type { SectionProps } from './sections.tsx';

export function ExplainSection({ detail }: SectionProps) {
  const asked = useResource(`${detail.id} ${detail.status} ${detail.attempt}`, (stop) =>
    ask<Explanation>(`/launches/${encodeURIComponent(detail.id)}/explain`, {
      pattern: '/launches/:id/explain',
      signal: stop,
    }),
  );
  const { data, failure, reload, loading } = asked;
  if (failure && !data) return <Problem failure={failure} retry={reload} />;
  if (!data) return <Skeleton rows={4} label="Looking for the cause" />;
  const healthy = data.cause === 'HEALTHY';
  return (
    <div class="prose">
      <div class={`note note-${healthy ? 'good' : 'bad'}`}>
        <div>
          <p>
            <strong>{sentence(data.summary)}</strong>
          </p>
          {data.remedy !== '' && <p>{sentence(data.remedy)}</p>}
          {!healthy && <p class="quiet-text">{data.cause}</p>}
        </div>
      </div>
      {data.findings
        .filter(({ why }) => why !== data.summary)
        .map(({ what, why, remedy, step, item }) => (
          <div key={`${what} ${step} ${item}`} class="finding">
            <h2>{what}</h2>
            <p>{sentence(why)}</p>
            {remedy !== '' && <p>{sentence(remedy)}</p>}
            {step !== undefined && (
              <p>
                <a href={here({ tab: 'logs', step, item })}>
                  Log of {step}
                  {item !== undefined && ` / ${item}`}
                </a>
              </p>
            )}
          </div>
        ))}
      {data.evidence.length > 0 && (
        <details>
          <summary>What it is told by</summary>
          <pre tabIndex={0}>{data.evidence.join('\n')}</pre>
        </details>
      )}
      <button type="button" disabled={loading} onClick={reload}>
        Look again
      </button>
    </div>
  );
}
