/**
 * What a session needs of the gateway it is in.
 *
 * @module
 */
import type { ErrorCode } from '../../live/protocol.ts';
import type { Tokens } from '../auth/tokens.ts';
import type { Cursors } from './cursors.ts';
import type { Hub } from './hub.ts';
import type { Session } from './session.ts';

/** What a request of a client led to. */
export type Reply =
  | { run?: string; output?: unknown }
  | { problem: { code: ErrorCode; message: string; remedy: string } };

export interface SessionDeps {
  hub: Pick<Hub, 'subscribe'>;
  cursors: Pick<Cursors, 'get' | 'move'>;
  tokens?: Tokens | undefined;
  now(): number;
  request(session: Session, what: string, input: unknown): Promise<Reply>;
  /** Its token ends then. */
  expires(session: Session, at: number): void;
  closed(session: Session): void;
}
