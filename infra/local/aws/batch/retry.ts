/**
 * Whether a failed attempt is tried again: the job's retryStrategy with its evaluateOnExit conditions.
 *
 * @module
 */
import type { RetryStrategy } from '@aws-sdk/client-batch';
import { clientError, refused } from './errors.ts';
import { type Json, oneOf, optionalInteger, optionalList, optionalObject, optionalString } from './input.ts';

/** How an attempt ended, as far as conditions may look at it. */
export interface AttemptEnd {
  exitCode?: number;
  /** The container's reason. */
  reason?: string;
  statusReason?: string;
}

const TEXT_PATTERN = /^[A-Za-z0-9.:\s]*\*?$/;
const CODE_PATTERN = /^[0-9]*\*?$/;

/** @returns the strategy in the form DescribeJobs shows it */
export function readRetryStrategy(input: Json): RetryStrategy | undefined {
  const strategy = optionalObject(input, 'retryStrategy');
  if (strategy === undefined) return undefined;
  const attempts = optionalInteger(strategy, 'attempts', 1, 10);
  const conditions = optionalList(strategy, 'evaluateOnExit', 5) ?? [];
  if (conditions.length > 0 && attempts === undefined) {
    throw refused('attempts must be specified when evaluateOnExit is specified');
  }
  const evaluateOnExit = conditions.map((condition) => {
    const action = oneOf({ action: optionalString(condition, 'action')?.toUpperCase() }, 'action', ['RETRY', 'EXIT']);
    if (action === undefined) throw refused('evaluateOnExit action should not be empty');
    const onStatusReason = pattern(condition, 'onStatusReason', TEXT_PATTERN);
    const onReason = pattern(condition, 'onReason', TEXT_PATTERN);
    const onExitCode = pattern(condition, 'onExitCode', CODE_PATTERN);
    if (onStatusReason === undefined && onReason === undefined && onExitCode === undefined) {
      throw refused('evaluateOnExit must specify at least one of onStatusReason, onReason or onExitCode');
    }
    return {
      ...(onStatusReason !== undefined && { onStatusReason }),
      ...(onReason !== undefined && { onReason }),
      ...(onExitCode !== undefined && { onExitCode }),
      action,
    };
  });
  return { attempts: attempts ?? 1, evaluateOnExit };
}

function pattern(condition: Json, member: string, allowed: RegExp): string | undefined {
  const value = optionalString(condition, member);
  if (value === undefined) return undefined;
  if (value.length > 512) throw clientError(`${member} must not exceed 512 characters`);
  if (!allowed.test(value)) throw refused(`${member} should match valid pattern`);
  return value;
}

/**
 * @param made attempts made so far, the failed one included
 */
export function retries(strategy: RetryStrategy | undefined, made: number, end: AttemptEnd): boolean {
  if (made >= (strategy?.attempts ?? 1)) return false;
  for (const condition of strategy?.evaluateOnExit ?? []) {
    const met =
      matches(condition.onStatusReason, end.statusReason) &&
      matches(condition.onReason, end.reason) &&
      matches(condition.onExitCode, end.exitCode?.toString());
    if (met) return condition.action?.toUpperCase() === 'RETRY';
  }
  return true;
}

/** A star is allowed at the end only. What is absent is matched as empty text, so that `*` means "whatever it was". */
function matches(glob: string | undefined, text = ''): boolean {
  if (glob === undefined) return true;
  const wanted = glob.toLowerCase();
  const given = text.toLowerCase();
  return wanted.endsWith('*') ? given.startsWith(wanted.slice(0, -1)) : given === wanted;
}
