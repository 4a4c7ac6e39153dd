/**
 * All of the run in a strip, and which part of it the timeline shows. Keys of the timeline do the same.
 *
 * @module
 */
import { useEffect, useRef } from 'preact/hooks';
import type { StepView } from '../../../../workflows/progress/model.ts';
import { onThemeChange } from './theme-change.ts';
import { type Axis, makeScale, type Scale, toActive, type Window, wholeWindow } from './timeline-axis.ts';
import { runningSpan } from './timeline-rows.ts';
import { lookOf, type Tone } from './tones.ts';
import { useSize } from './use-size.ts';

export interface MinimapProps {
  axis: Axis;
  steps: readonly StepView[];
  window: Window;
  now: number;
  /** Middle of what is to be shown, in active ms. */
  onMove: (active: number) => void;
}

const HEIGHT = 36;
/** The tones of parts.css: a canvas has to be told. */
const VARIABLES: Readonly<Record<Tone, string>> = {
  ok: '--good',
  warn: '--off',
  bad: '--bad',
  run: '--accent',
  wait: '--wait',
  idle: '--text-2',
};

export function Minimap({ axis, steps, window, now, onMove }: MinimapProps) {
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width } = useSize(frame);
  const scale = makeScale(axis, wholeWindow(axis), width);

  const latest = useRef({ scale, steps, now });
  latest.current = { scale, steps, now };
  const draw = useRef(() => {
    if (canvas.current && latest.current.scale.width > 0) drawStrip(canvas.current, latest.current);
  });
  useEffect(() => {
    draw.current();
    return onThemeChange(draw.current);
  }, [width]);
  // However often a run reports, the strip is drawn twice a second.
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      draw.current();
    }, 500);
  }, [steps, axis]);
  useEffect(() => () => clearTimeout(timer.current), []);

  const move = (event: PointerEvent): void => {
    if (event.buttons !== 1 || !frame.current) return;
    frame.current.setPointerCapture(event.pointerId);
    const x = event.clientX - frame.current.getBoundingClientRect().left;
    onMove(toActive(axis, scale.time(x)));
  };
  const left = (window.from / axis.length) * width;
  const right = (window.to / axis.length) * width;
  return (
    <div ref={frame} class="tl-minimap" aria-hidden="true" onPointerDown={move} onPointerMove={move}>
      <canvas ref={canvas} />
      {right - left < width - 1 && (
        <div class="tl-minimap-window" style={{ left: `${left}px`, width: `${Math.max(6, right - left)}px` }} />
      )}
    </div>
  );
}

function drawStrip(canvas: HTMLCanvasElement, what: { scale: Scale; steps: readonly StepView[]; now: number }): void {
  const { scale, steps, now } = what;
  const ratio = devicePixelRatio;
  canvas.width = Math.max(1, Math.round(scale.width * ratio));
  canvas.height = HEIGHT * ratio;
  const context = canvas.getContext('2d');
  if (!context) return;
  context.scale(ratio, ratio);
  const theme = getComputedStyle(canvas);
  const colours = new Map<Tone, string>();
  const rowHeight = HEIGHT / Math.max(1, steps.length);
  for (const [place, step] of steps.entries()) {
    const span = runningSpan(step, now);
    if (!span) continue;
    const { tone } = lookOf(step.state);
    let colour = colours.get(tone);
    if (colour === undefined) {
      colour = theme.getPropertyValue(VARIABLES[tone]).trim();
      colours.set(tone, colour);
    }
    context.fillStyle = colour;
    const x = scale.x(span.from);
    context.fillRect(x, place * rowHeight, Math.max(1, scale.x(span.to) - x), Math.max(1, rowHeight * 0.8));
  }
}
