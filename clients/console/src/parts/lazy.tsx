/**
 * A part of the page whose script is loaded when it is first shown.
 *
 * @module
 */
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Failure } from '../http.ts';
import { Problem, Skeleton } from './notes.tsx';

/** @param load always of the same module */
export function lazy<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  let known: ComponentType<Props> | undefined;
  return function Lazy(props: Props) {
    const [part, setPart] = useState<{ shown?: ComponentType<Props>; failed?: true }>(known ? { shown: known } : {});
    const get = (): void => {
      load().then(
        (shown) => {
          known = shown;
          setPart({ shown });
        },
        () => setPart({ failed: true }),
      );
    };
    useEffect(() => {
      if (!part.shown) get();
    }, []);
    if (part.shown) return <part.shown {...props} />;
    if (part.failed) return <Problem failure={LOST} retry={() => location.reload()} />;
    return <Skeleton rows={4} label="Loading" />;
  };
}

/** After an update of the gateway the scripts of the old page are gone. */
const LOST = new Failure(
  0,
  'script',
  'a part of the console cannot be loaded',
  'Load the page again: it may be newer.',
);
