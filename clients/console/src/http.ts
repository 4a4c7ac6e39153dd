/**
 * Asking the gateway. Every failure becomes a {@link Failure} with a remedy, whatever it was that failed.
 *
 * @module
 */
import { signal } from '@preact/signals';
import type { ApiError } from '../../live/api.ts';
import { report } from './telemetry.ts';

const BASE = '/api/v1';
const TIMEOUT_MS = 30_000;
const TOKEN = 'longhaul.token';

/** Of a gateway that asks for one; kept for this tab only. */
export const token = signal<string | undefined>(sessionStorage.getItem(TOKEN) ?? undefined);

export function setToken(text: string | undefined): void {
  if (text === undefined) sessionStorage.removeItem(TOKEN);
  else sessionStorage.setItem(TOKEN, text);
  token.value = text;
}

/** Whether the gateway answered when it was last asked, whatever the answer was. */
export const reachable = signal(true);

export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: string;
  readonly remedy: string;
  readonly status: number;

  constructor(status: number, code: string, message: string, remedy: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.remedy = remedy;
  }
}

export interface Asked {
  method?: 'GET' | 'POST';
  body?: unknown;
  signal?: AbortSignal;
  /** What it is called in telemetry: a pattern, never ids. */
  pattern: string;
  accept?: string;
}

/** @throws Failure; an AbortError once `signal` says so */
export async function ask<T>(path: string, asked: Asked): Promise<T> {
  const response = await send(path, asked);
  return (await response.json().catch(() => {
    throw new Failure(response.status, 'no-json', 'the answer is no JSON', 'Load the page again; is this a gateway?');
  })) as T;
}

/** @throws Failure; an AbortError once `signal` says so */
export async function askFile(path: string, asked: Asked): Promise<Blob> {
  return (await send(path, asked)).blob();
}

async function send(path: string, { method = 'GET', body, signal: stop, pattern, accept }: Asked): Promise<Response> {
  const headers: Record<string, string> = { accept: accept ?? 'application/json' };
  if (token.value !== undefined) headers['authorization'] = `Bearer ${token.value}`;
  if (body !== undefined) headers['content-type'] = 'application/json';
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  const begun = performance.now();
  const told = (status: number): void =>
    report({ kind: 'request', route: pattern, status, ms: Math.round(performance.now() - begun) }, token.value);
  let response: Response;
  try {
    response = await fetch(BASE + path, {
      method,
      headers,
      signal: stop ? AbortSignal.any([stop, limit]) : limit,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  } catch (error) {
    if (stop?.aborted) throw error;
    if (reachable.value) told(0);
    reachable.value = false;
    throw limit.aborted
      ? new Failure(0, 'timeout', 'the gateway has not answered within 30 s', 'It may be busy: try again.')
      : new Failure(0, 'offline', 'the gateway cannot be reached', 'Is the network up, and "longhaul up" running?');
  }
  reachable.value = true;
  if (response.status !== 401) told(response.status);
  if (response.ok) return response;
  const failure = await failureOf(response);
  if (response.status === 401) setToken(undefined);
  throw failure;
}

async function failureOf(response: Response): Promise<Failure> {
  const { status } = response;
  const told = (await response.json().catch(() => undefined)) as Partial<ApiError> | undefined;
  if (told?.error) return new Failure(status, told.error.code, told.error.message, told.error.remedy);
  return new Failure(status, 'no-answer', `the gateway answered ${status}`, 'Try again in a moment.');
}

export const asFailure = (error: unknown): Failure =>
  error instanceof Failure
    ? error
    : new Failure(0, 'script', error instanceof Error ? error.message : String(error), 'Load the page again.');
