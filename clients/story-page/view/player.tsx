/**
 * The bar at the foot of the page: the browser's own controls until the script is there, then ours.
 *
 * @module
 */
import type { JSX } from 'preact';
import { Sign } from './drawings.tsx';
import { type Spoken, timeOf } from './words.ts';

/** Of the speed it is spoken with. */
export const SLOWER = 0.8;

export interface PlayerState {
  playing: boolean;
  /** In seconds. */
  at: number;
  seconds: number;
  slower: boolean;
  /** It could not be played. */
  silent: boolean;
  /** What is spoken there, for those who cannot see it. */
  word: string;
}

export interface PlayerActions {
  toggle(): void;
  /** By seconds. */
  skip(by: number): void;
  /** To a place, in seconds. */
  seek(to: number): void;
  /** To the next word, or the one before. */
  step(by: 1 | -1): void;
  slower(): void;
}

export interface PlayerProps {
  url: string;
  spoken: Spoken;
  /** Of the page's script. */
  state?: PlayerState | undefined;
  actions?: PlayerActions | undefined;
}

export function Player({ url, spoken: { language, words }, state, actions }: PlayerProps): JSX.Element {
  return (
    <section class="player" lang={language} dir="ltr" aria-label={words.listen}>
      <audio src={url} preload="metadata" controls={!state} />
      {state && actions && <Controls words={words} state={state} actions={actions} />}
    </section>
  );
}

function Controls({
  words,
  state,
  actions,
}: {
  words: Spoken['words'];
  state: PlayerState;
  actions: PlayerActions;
}): JSX.Element {
  const { playing, at, seconds, slower, silent, word } = state;
  return (
    <div class="controls">
      {silent && (
        <p class="silent" role="status">
          {words.silent}
        </p>
      )}
      <div class="line">
        <span class="time">{timeOf(at)}</span>
        <input
          type="range"
          min={0}
          max={Math.max(1, Math.round(seconds))}
          step={1}
          value={Math.round(at)}
          aria-label={words.place}
          aria-valuetext={word === '' ? timeOf(at) : `${timeOf(at)}, ${word}`}
          onInput={({ currentTarget }) => actions.seek(Number(currentTarget.value))}
          onKeyDown={(event) => {
            const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key] as 1 | -1 | undefined;
            if (by === undefined) return;
            event.preventDefault();
            actions.step(by);
          }}
        />
        <span class="time">{timeOf(seconds)}</span>
      </div>
      <div class="buttons">
        <button
          type="button"
          class="slower"
          aria-pressed={slower}
          aria-label={`${words.slower}, ${SLOWER}×`}
          onClick={actions.slower}
        >
          {SLOWER}×
        </button>
        <button type="button" class="skip" aria-label={words.back} onClick={() => actions.skip(-10)}>
          <Sign of="back" label="10" />
        </button>
        <button type="button" class="play" aria-label={playing ? words.pause : words.play} onClick={actions.toggle}>
          <Sign of={playing ? 'pause' : 'play'} />
        </button>
        <button type="button" class="skip" aria-label={words.forward} onClick={() => actions.skip(10)}>
          <Sign of="forward" label="10" />
        </button>
        <span class="balance" />
      </div>
    </div>
  );
}
