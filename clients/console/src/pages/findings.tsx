/**
 * What preflight has found in a sheet.
 *
 * @module
 */
import type { PreflightAnswer } from '../../../live/api.ts';
import { counted } from '../format.ts';
import { Icon } from '../parts/icon.tsx';
import { sentence } from '../parts/notes.tsx';

export function Findings({ answer: { ok, findings } }: { answer: PreflightAnswer }) {
  const errors = findings.filter(({ level }) => level === 'error').length;
  const warnings = findings.length - errors;
  return (
    <section aria-label="What was found" class="findings">
      <p>
        <strong>{ok ? 'It can be launched' : 'It would fail'}</strong>: {counted(errors, 'error')},{' '}
        {counted(warnings, 'warning')}.
      </p>
      <ul>
        {findings.map(({ level, at, line, message, remedy }) => (
          <li key={`${at} ${message}`} class={`note note-${level === 'error' ? 'bad' : 'wait'}`}>
            <Icon name="warning" />
            <div>
              <p>
                <strong>{level === 'error' ? 'Error' : 'Warning'}</strong> in <code>{at}</code>
                {line !== undefined && `, line ${line}`}
              </p>
              <p>{sentence(message)}</p>
              <p>{sentence(remedy)}</p>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
