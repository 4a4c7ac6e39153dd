/**
 * What every check gets, and what they say when they are not allowed to look.
 *
 * @module
 */
import type { Plan } from '../../../workflows/launch/plan.ts';
import type { Check, Finding } from '../../../workflows/launch/preflight.ts';
import type { Settings } from '../../settings.ts';

export interface CheckInput {
  plan: Plan;
  settings: Pick<
    Settings,
    'bucket' | 'batchQueue' | 'headQueue' | 'jobImage' | 'jobRole' | 'executionRole' | 'jobRuntime'
  >;
  /** Called while a check goes on. */
  beat(): void;
}

/** @param actions what the caller would have to be allowed, such as `iam:GetRole` */
export const notAllowed = (check: Check, at: string, what: string, actions: string): Finding => ({
  level: 'warning',
  check,
  at,
  message: `${what} could not be checked: the caller may not call ${actions}`,
  remedy: `allow ${actions} to whoever checks`,
});
