/**
 * The moment of the past that is looked at. It is in the address, but a hand that scrubs is faster than a browser lets
 * the address be changed.
 *
 * @module
 */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { query, setQuery } from '../location.ts';

/** Browsers refuse more than some 200 changes in 10 s. */
const REST_MS = 150;

/** `?at=`: epoch ms. */
const momentIn = (text: string | null): number | undefined =>
  text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;

/** @returns the moment (epoch ms; undefined: now), and how to go to one or back to now */
export function useMoment(): [number | undefined, (moment: number | undefined) => void] {
  const inAddress = momentIn(query.value.get('at'));
  const [held, setHeld] = useState<number>();
  const timer = useRef<number>(undefined);
  useEffect(() => {
    // The address has it now, or has been changed by going back.
    if (timer.current === undefined) setHeld(undefined);
  }, [inAddress]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const go = useCallback((moment: number | undefined) => {
    clearTimeout(timer.current);
    timer.current = undefined;
    const begins = new URLSearchParams(location.search).has('at') !== (moment !== undefined);
    if (moment === undefined || begins) {
      setHeld(undefined);
      setQuery({ at: moment === undefined ? undefined : String(Math.round(moment)) }, 'push');
      return;
    }
    const rounded = Math.round(moment);
    setHeld(rounded);
    timer.current = window.setTimeout(() => {
      timer.current = undefined;
      setQuery({ at: String(rounded) });
    }, REST_MS);
  }, []);
  return [held ?? inAddress, go];
}
