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
}

export function Status({ status, waitingFor, endedAt }: StatusProps) {
  const tone = toneOf(status, isOver({ status, endedAt }));
  return (
    <span class={`status t-${tone}`}>
      <Icon name={tone} className={tone === 'busy' ? 'turns' : ''} />
      <span>{status ?? 'NOT KNOWN'}</span>
      {waitingFor !== undefined && <span class="status-for">{waitingText(waitingFor)}</span>}
    </span>
  );
}
