/**
 * What may be done with a run now, by this principal. The same rules refuse it when it is asked for all the same.
 *
 * @module
 */
import { isEnded } from '../../../workflows/launch/model.ts';
import { isEnded as isRestored } from '../../../workflows/restore/model.ts';
import { isEnded as isTold } from '../../../workflows/story/model.ts';
import type { RunAction } from '../../live/api.ts';
import { mayAct, type Ownership, type Principal } from '../principal.ts';

interface Run extends Ownership {
  domain: string;
  status: string;
  waitingFor?: string | undefined;
  /** Of a launch: it has been COMPLETE, whatever a person has written over it since. */
  completed?: boolean;
}

/** In the order in which they are offered. */
export function actionsOf(principal: Principal, run: Run): RunAction[] {
  const { domain, status, waitingFor } = run;
  const operates = mayAct(principal, run, 'operator');
  const decides = mayAct(principal, run, 'approver') && (waitingFor === 'approval' || waitingFor === 'budget');
  const offered: [RunAction, boolean][] = [
    ['approve', decides],
    ['refuse', decides],
    ['retry', operates && (domain === 'launch' || domain === 'story') && mayBeRetried(run)],
    ['cancel', operates && mayBeCancelled(domain, status)],
  ];
  return offered.flatMap(([action, possible]) => (possible ? [action] : []));
}

const mayBeRetried = ({ status, completed = false }: Run): boolean =>
  (status === 'FAILED' || status === 'CANCELLED') && !completed;

function mayBeCancelled(domain: string, status: string): boolean {
  if (domain === 'launch') return !isEnded(status as Parameters<typeof isEnded>[0]) && status !== 'RETRY';
  if (domain === 'story') return !isTold(status as Parameters<typeof isTold>[0]);
  // One that is READY keeps the inputs of a launch.
  return domain === 'restore' && !isRestored(status as Parameters<typeof isRestored>[0]) && status !== 'READY';
}
