/**
 * Who the gateway takes us for.
 *
 * @module
 */
import { effect, signal } from '@preact/signals';
import type { SessionInfo } from '../../live/api.ts';
import { asFailure, ask, type Failure, setToken, token } from './http.ts';
import { connect } from './live.ts';

export type Session =
  | { state: 'asking' }
  | { state: 'known'; info: SessionInfo }
  /** A token is asked for. */
  | { state: 'signedOut'; refused: boolean }
  | { state: 'failed'; failure: Failure };

export const session = signal<Session>({ state: 'asking' });

export async function openSession(): Promise<void> {
  const offered = token.value !== undefined;
  if (session.value.state !== 'known') session.value = { state: 'asking' };
  try {
    session.value = { state: 'known', info: await ask<SessionInfo>('/session', { pattern: '/session' }) };
    connect();
  } catch (error) {
    const failure = asFailure(error);
    if (failure.status === 401) session.value = { state: 'signedOut', refused: offered };
    else if (session.value.state !== 'known') session.value = { state: 'failed', failure };
  }
}

/** Of a first sign-in, or in the place of one that runs out: what is open stays open. */
export async function signIn(text: string): Promise<void> {
  setToken(text.trim());
  await openSession();
}

// A token that was refused anywhere is gone: only a new one helps.
effect(() => {
  if (token.value === undefined && session.peek().state === 'known') {
    const known = session.peek();
    if (known.state === 'known' && known.info.auth === 'jwt') session.value = { state: 'signedOut', refused: true };
  }
});

export const mayOperate = (info: SessionInfo): boolean => info.role !== 'viewer';

/** Whether who looks may operate; nobody may before it is known who does. */
export function isOperator(): boolean {
  const known = session.value;
  return known.state === 'known' && mayOperate(known.info);
}
