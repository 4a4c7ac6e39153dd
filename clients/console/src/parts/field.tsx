/**
 * A field with its label, what to know of it, and what is wrong with what stands in it.
 *
 * @module
 */
import { useId } from 'preact/hooks';

interface FieldProps {
  label: string;
  /** Whose it is, for who does not see what it stands beside. */
  of?: string;
  hint?: string;
  type?: 'text' | 'time' | 'number' | 'email';
  text: string;
  /** To choose from; anything else may be typed. */
  known?: readonly string[];
  /** Of a number. */
  bounds?: { least: number; most: number };
  problem?: string | undefined;
  onText(text: string): void;
  field?: { current: HTMLInputElement | null };
}

export function Field(props: FieldProps) {
  const { label, of, hint, type = 'text', text, known, bounds, problem, onText, field } = props;
  const id = useId();
  const about = [...(hint === undefined ? [] : [`${id}-hint`]), ...(problem === undefined ? [] : [`${id}-problem`])];
  return (
    <div class="field">
      <label for={id}>
        {label}
        {of !== undefined && <span class="hidden"> of {of}</span>}
      </label>
      <input
        id={id}
        ref={field ?? null}
        type={type}
        autocomplete="off"
        spellcheck={false}
        value={text}
        {...(known && { list: `${id}-known` })}
        {...(bounds && { min: bounds.least, max: bounds.most })}
        aria-invalid={problem !== undefined}
        aria-describedby={about.length === 0 ? undefined : about.join(' ')}
        onInput={(event) => onText(event.currentTarget.value)}
      />
      {known && (
        <datalist id={`${id}-known`}>
          {known.map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </datalist>
      )}
      {hint !== undefined && (
        <span class="field-hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
      {problem !== undefined && (
        <span class="field-problem" id={`${id}-problem`}>
          {problem}
        </span>
      )}
    </div>
  );
}

/** To the first field that has a problem, also where it is folded away. */
export function showProblem(form: HTMLFormElement): void {
  // When the problems have been drawn.
  requestAnimationFrame(() => {
    const field = form.querySelector<HTMLInputElement>('[aria-invalid="true"]');
    const folded = field?.closest('details');
    if (folded) folded.open = true;
    field?.focus();
  });
}
