/**
 * What pages need again and again: an answer of the gateway that is kept fresh, the time, keys.
 *
 * @module
 */
import { signal } from '@preact/signals';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { asFailure, type Failure } from './http.ts';

export interface Resource<T> {
  /** The last good answer: stays while it is asked again, and when that fails. */
  data?: T;
  failure?: Failure;
  loading: boolean;
  reload(): void;
}

/**
 * @param key what is asked for: another one drops the answer; undefined asks nothing
 * @param load is stopped by its signal when the answer is no longer wanted
 * @param everyMs asks again so long after an answer, while the page is to be seen
 */
export function useResource<T>(
  key: string | undefined,
  load: (stop: AbortSignal) => Promise<T>,
  everyMs?: number,
): Resource<T> {
  const [state, setState] = useState<{ key: string | undefined; data?: T; failure?: Failure; loading: boolean }>({
    key,
    loading: key !== undefined,
  });
  const [turn, setTurn] = useState(0);
  const newest = useRef(load);
  newest.current = load;
  useEffect(() => {
    if (key === undefined) return;
    const stop = new AbortController();
    let timer: number | undefined;
    const run = async (): Promise<void> => {
      setState((before) => (before.key === key ? { ...before, loading: true } : { key, loading: true }));
      try {
        const data = await newest.current(stop.signal);
        if (!stop.signal.aborted) setState({ key, data, loading: false });
      } catch (error) {
        if (stop.signal.aborted) return;
        const failure = asFailure(error);
        setState((before) => ({
          key,
          failure,
          loading: false,
          ...(before.key === key && before.data !== undefined && { data: before.data }),
        }));
      }
      if (everyMs !== undefined && !stop.signal.aborted) timer = window.setTimeout(again, everyMs);
    };
    const again = (): void => {
      timer = undefined;
      if (document.visibilityState === 'visible') void run();
    };
    const seen = (): void => {
      if (timer === undefined && everyMs !== undefined) again();
    };
    document.addEventListener('visibilitychange', seen);
    void run();
    return () => {
      stop.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', seen);
    };
  }, [key, turn, everyMs]);
  const reload = useCallback(() => setTurn((before) => before + 1), []);
  const { key: of, ...known } = state;
  return of === key ? { ...known, reload } : { loading: key !== undefined, reload };
}

/** Of now, once a second. Epoch ms. */
export const now = signal(Date.now());
setInterval(() => {
  if (document.visibilityState === 'visible') now.value = Date.now();
}, 1_000);

/** Whether what is typed goes into a field. */
export const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || target.matches('input:not([type=checkbox], [type=file]), textarea, select'));

/** Single keys, as `KeyboardEvent.key` names them, while no field has the focus and no dialog is open. */
export function useKeys(keys: Readonly<Record<string, (event: KeyboardEvent) => void>>): void {
  const newest = useRef(keys);
  newest.current = keys;
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (document.querySelector('dialog[open]')) return;
      const act = newest.current[event.key];
      if (!act) return;
      event.preventDefault();
      act(event);
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, []);
}
