/**
 * Runs as they are now: one picture a run, folded from the live connection, shown once a frame however many events came.
 *
 * @module
 */
import { type ReadonlySignal, signal } from '@preact/signals';
import type { Snapshot } from '../../../workflows/progress/model.ts';
import { RunPicture } from '../../../workflows/progress/picture.ts';
import type { Resume } from '../../live/protocol.ts';
import { lastHeard, type WatchHandlers, watchLive } from './live.ts';

export interface Feed {
  snapshot: ReadonlySignal<Snapshot | undefined>;
  /** What the last resume said. */
  resumed: ReadonlySignal<Resume | undefined>;
  failure: ReadonlySignal<{ code: string; message: string; remedy: string } | undefined>;
  stop(): void;
}

/** @param matters it is what the page is about */
export function feedOf(run: string, matters: boolean): Feed {
  const snapshot = signal<Snapshot | undefined>(undefined);
  const resumed = signal<Resume | undefined>(undefined);
  const failure = signal<{ code: string; message: string; remedy: string } | undefined>(undefined);
  let picture: RunPicture | undefined;
  const draw = onceAFrame(() => {
    if (picture) snapshot.value = picture.snapshot();
  });
  const handlers: WatchHandlers = {
    resumed(resume) {
      resumed.value = resume;
      failure.value = undefined;
      if ('snapshot' in resume && resume.snapshot) picture = new RunPicture(resume.snapshot);
      lastHeard.value = Date.now();
      draw.ask();
    },
    event(event) {
      if (picture?.apply(event)) draw.ask();
    },
    failed(error) {
      failure.value = error;
    },
  };
  const unwatch = watchLive(run, handlers, matters);
  return {
    snapshot,
    resumed,
    failure,
    stop() {
      unwatch();
      draw.stop();
    },
  };
}

/** A tab that is not seen has no frames: a timer then, so that its title is right. */
export function onceAFrame(run: () => void): { ask(): void; stop(): void } {
  let cancel: (() => void) | undefined;
  const now = (): void => {
    cancel = undefined;
    run();
  };
  return {
    ask() {
      if (cancel) return;
      if (document.visibilityState === 'visible') {
        const frame = requestAnimationFrame(now);
        cancel = () => cancelAnimationFrame(frame);
      } else {
        const timer = setTimeout(now, 1_000);
        cancel = () => clearTimeout(timer);
      }
    },
    stop() {
      cancel?.();
      cancel = undefined;
    },
  };
}
