/**
 * The sound, played by the page's one audio element: its controls, its place over reloads, its words.
 *
 * @module
 */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ReadableStory, WordMark } from '../../../lib/story/document.ts';
import { wordAt } from '../../../lib/story/words.ts';
import { type PlayerActions, type PlayerState, SLOWER } from '../view/player.tsx';
import { WordLight } from './light.ts';
import { forgetPlace, keepPlace, placeIn } from './place.ts';

/** Nobody goes on with the last breath. */
const END_SECONDS = 1;
const KEEP_EVERY_SECONDS = 1;
/** An address that fails again so soon after it was renewed is not at fault. */
const FAILS_AGAIN_MS = 15_000;

const audioElement = (): HTMLAudioElement | null => document.querySelector('audio');

export interface Sound {
  state: PlayerState | undefined;
  actions: PlayerActions;
  /** From the begin of a word. */
  playFrom(word: number): void;
  /** Before another address of the same sound is taken. @returns whether it is: not in the middle of playing */
  hold(): boolean;
}

/**
 * @param renew reads the story again, for an address that plays
 */
export function useSound(story: ReadableStory, words: readonly WordMark[], renew: () => Promise<void>): Sound {
  const [state, setState] = useState<PlayerState | undefined>(undefined);
  const light = useRef<WordLight | undefined>(undefined);
  const goOn = useRef<{ at: number; playing: boolean } | undefined>(undefined);
  const failedAt = useRef(Number.NEGATIVE_INFINITY);
  /** Until another address is there. */
  const renewing = useRef(false);
  const { storyId, expiresAt } = story;
  const { url, seconds } = story.audio;

  useEffect(() => {
    const audio = audioElement();
    if (!audio || url === undefined) return undefined;
    let kept = placeIn(storyId);
    let frame = 0;
    const length = () => (Number.isFinite(audio.duration) ? audio.duration : (seconds ?? 0));
    const tell = (more: Partial<PlayerState> = {}) => {
      light.current?.show(audio.currentTime, { follow: !audio.paused });
      setState((before) => ({
        slower: before?.slower ?? false,
        silent: before?.silent ?? false,
        playing: !audio.paused && !audio.ended,
        at: audio.currentTime,
        seconds: length(),
        word: light.current?.word ?? '',
        ...more,
      }));
    };
    const keep = (always: boolean) => {
      const at = audio.currentTime;
      if (at >= length() - END_SECONDS) {
        if (audio.ended) forgetPlace(storyId);
      } else if (always ? at !== kept : Math.abs(at - kept) >= KEEP_EVERY_SECONDS) {
        kept = at;
        keepPlace(storyId, at, expiresAt);
      }
    };
    const eachFrame = () => {
      light.current?.show(audio.currentTime, { follow: true });
      frame = requestAnimationFrame(eachFrame);
    };
    const begin = () => {
      const { at, playing } = goOn.current ?? { at: placeIn(storyId), playing: false };
      goOn.current = undefined;
      renewing.current = false;
      if (at > 0 && at < length() - END_SECONDS) audio.currentTime = at;
      if (playing) void audio.play().catch(() => {});
      tell({ silent: false });
    };
    const failed = () => {
      if (!audio.error) return;
      goOn.current = {
        at: audio.currentTime || goOn.current?.at || kept,
        playing: goOn.current?.playing ?? !audio.paused,
      };
      const again = performance.now() - failedAt.current < FAILS_AGAIN_MS;
      failedAt.current = performance.now();
      renewing.current = !again;
      if (again) tell({ silent: true, playing: false });
      // An address that is signed anew within the same second is the same one: nothing would be loaded by itself.
      else void renew().then(() => setTimeout(() => audio.error && audio.load()));
    };
    const handlers: Readonly<Record<string, () => void>> = {
      loadedmetadata: begin,
      error: failed,
      play: () => {
        cancelAnimationFrame(frame);
        frame = requestAnimationFrame(eachFrame);
        tell();
      },
      pause: () => {
        cancelAnimationFrame(frame);
        keep(true);
        tell();
      },
      ended: () => {
        cancelAnimationFrame(frame);
        keep(true);
        tell();
      },
      timeupdate: () => {
        keep(false);
        tell();
      },
      seeked: () => {
        keep(true);
        tell();
      },
      durationchange: () => tell(),
    };
    for (const [type, handle] of Object.entries(handlers)) audio.addEventListener(type, handle);
    const leave = () => keep(true);
    addEventListener('pagehide', leave);
    // What has happened before the script was there.
    if (audio.error) failed();
    else if (audio.readyState >= HTMLMediaElement.HAVE_METADATA) begin();
    else tell();
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener('pagehide', leave);
      for (const [type, handle] of Object.entries(handlers)) audio.removeEventListener(type, handle);
    };
  }, [url, storyId]);

  useEffect(() => {
    if (words.length === 0) return undefined;
    const lit = new WordLight(words);
    light.current = lit;
    const audio = audioElement();
    if (audio && audio.currentTime > 0) lit.show(audio.currentTime);
    return () => {
      light.current = undefined;
      lit.end();
    };
  }, [words]);

  /** @param at seconds; from where it is */
  const start = (at?: number) => {
    const audio = audioElement();
    if (!audio) return;
    if (audio.error && renewing.current) {
      // An element that has failed does not play, and forgets that it was asked to: the next address does.
      goOn.current = { at: at ?? goOn.current?.at ?? audio.currentTime, playing: true };
      return;
    }
    if (at !== undefined) audio.currentTime = at;
    void audio.play().catch(() => {});
  };
  const actions = useMemo(
    () => actionsOf(words, start, () => setState((before) => before && { ...before, slower: !before.slower })),
    [words],
  );
  const slower = state?.slower ?? false;
  useEffect(() => {
    const audio = audioElement();
    if (audio) audio.playbackRate = audio.defaultPlaybackRate = slower ? SLOWER : 1;
  }, [slower, url]);

  return {
    state: url === undefined ? undefined : state,
    actions,
    hold() {
      const audio = audioElement();
      if (!audio || audio.error) return true;
      if (!audio.paused) return false;
      if (audio.readyState >= HTMLMediaElement.HAVE_METADATA) goOn.current = { at: audio.currentTime, playing: false };
      return true;
    },
    playFrom(word) {
      const mark = words[word];
      if (mark) start(mark.start / 1000);
    },
  };
}

function actionsOf(words: readonly WordMark[], start: () => void, slower: () => void): PlayerActions {
  const seek = (to: number) => {
    const audio = audioElement();
    if (audio) audio.currentTime = Math.max(0, Math.min(to, Number.isFinite(audio.duration) ? audio.duration : to));
  };
  const at = () => audioElement()?.currentTime ?? 0;
  return {
    seek,
    skip: (by) => seek(at() + by),
    step(by) {
      const lit = wordAt(words, at() * 1000);
      // In a pause: from the word before it.
      const from = lit >= 0 ? lit : words.findLastIndex(({ start }) => start <= at() * 1000);
      const to = words[from + by];
      seek(to ? to.start / 1000 : by < 0 ? 0 : words.length > 0 ? at() : at() + 5);
    },
    slower,
    toggle() {
      const audio = audioElement();
      if (!audio) return;
      if (audio.paused) start();
      else audio.pause();
    },
  };
}
