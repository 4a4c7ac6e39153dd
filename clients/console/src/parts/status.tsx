/**
 * A status: word, sign and colour.
 *
 * @module
 */
import { isOver, toneOf, waitingText } from '../status.ts';
import { Icon } from './icon.tsx';

interface StatusProps {
  status: string | undefined;
  waitingFor?: string | undefined;
  endedAt?: number | string | undefined;
  /** It has been so, and is no longer. */
  past?: boolean;
}

export function Status({ status, waitingFor, endedAt, past = false }: StatusProps) {
  const known = toneOf(status, isOver({ status, endedAt }));
  const over = past && (known === 'busy' || known === 'wait');
  const tone = over ? 'off' : known;
  return (
    <span class={`status t-${tone}`}>
      <Icon name={over ? 'past' : tone} className={tone === 'busy' ? 'turns' : ''} />
      <span>{status ?? 'NOT KNOWN'}</span>
      {waitingFor !== undefined && <span class="status-for">{waitingText(waitingFor)}</span>}
    </span>
  );
}
