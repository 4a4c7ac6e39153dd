/**
 * A night scene: sky, moon and stars, what the words of the prompt name, hills, and two little figures with a lantern. The
 * same prompt is the same picture.
 *
 * @module
 */
import { mulberry32 } from '../../kit/faults.ts';
import { seedOf } from '../seed.ts';
import { Canvas, type Colour, mix } from './canvas.ts';
import { FEATURES, type Painter } from './features.ts';
import { drawFigures } from './figures.ts';
import type { Pixels } from './picture.ts';
import type { Size } from './sizes.ts';

interface Palette {
  top: Colour;
  low: Colour;
  far: Colour;
  near: Colour;
}

/** Evenings, from late to early. */
const PALETTES: readonly Palette[] = [
  { top: [13, 18, 48], low: [74, 84, 148], far: [39, 47, 95], near: [17, 22, 51] },
  { top: [20, 15, 46], low: [132, 84, 140], far: [66, 46, 96], near: [27, 20, 50] },
  { top: [8, 27, 51], low: [58, 122, 142], far: [28, 69, 92], near: [10, 34, 50] },
  { top: [22, 20, 60], low: [214, 138, 122], far: [92, 68, 118], near: [34, 27, 62] },
];

/** @param index of several pictures of one prompt */
export function drawScene(prompt: string, index: number, { width, height }: Size): Pixels {
  const random = mulberry32(seedOf(`${index}:${prompt}`));
  const canvas = new Canvas(width, height);
  const palette = PALETTES[Math.floor(random() * PALETTES.length)] as Palette;
  const unit = Math.min(width, height) / 1024;
  const horizon = height * 0.66;
  canvas.rows((y) => mix(palette.top, palette.low, y / horizon));
  drawStars(canvas, random, unit, horizon);
  const moon = drawMoon(canvas, random, unit);
  const painter: Painter = { canvas, random, unit, horizon, moon, ...palette };
  const words = prompt.toLowerCase();
  const named = FEATURES.filter(({ words: pattern }) => pattern.test(words)).slice(0, 3);
  drawHills(painter, horizon - 70 * unit, 60 * unit, mix(palette.low, palette.far, 0.55));
  for (const { behind } of named) behind?.(painter);
  drawHills(painter, horizon + 10 * unit, 46 * unit, palette.far);
  const features = named.length > 0 ? named : FEATURES.slice(0, 1);
  for (const { paint } of features) paint?.(painter);
  const path = drawHills(painter, height * 0.82, 26 * unit, palette.near);
  drawFigures(painter, path);
  return canvas;
}

function drawStars(canvas: Canvas, random: () => number, unit: number, horizon: number): void {
  const count = Math.round((canvas.width * horizon) / (5200 * unit * unit));
  for (let star = 0; star < count; star += 1) {
    const [x, y] = [random() * canvas.width, random() ** 1.4 * horizon * 0.9];
    const bright = random();
    canvas.disc(x, y, (0.7 + 1.6 * bright ** 3) * unit, [255, 250, 226], 0.35 + 0.65 * bright);
    if (bright > 0.97) canvas.glow(x, y, 16 * unit, [255, 250, 226], 0.5);
  }
}

function drawMoon(canvas: Canvas, random: () => number, unit: number): { x: number; y: number; radius: number } {
  const x = canvas.width * (random() < 0.5 ? 0.18 + 0.16 * random() : 0.66 + 0.16 * random());
  const y = canvas.height * (0.16 + 0.1 * random());
  const radius = (62 + 30 * random()) * unit;
  const pale: Colour = [253, 243, 208];
  canvas.glow(x, y, radius * 4.2, pale, 0.42);
  canvas.disc(x, y, radius, pale);
  for (const [dx, dy, size] of [
    [-0.35, -0.2, 0.2],
    [0.28, 0.3, 0.26],
    [0.3, -0.42, 0.12],
    [-0.25, 0.48, 0.13],
  ] as const) {
    canvas.disc(x + dx * radius, y + dy * radius, size * radius, [232, 217, 176], 0.55);
  }
  return { x, y, radius };
}

/** @returns the line of the hills */
function drawHills(
  { canvas, random, horizon }: Painter,
  base: number,
  swing: number,
  colour: Colour,
): (x: number) => number {
  const waves = [1, 2.3, 4.1].map((rate) => ({ rate, shift: random() * Math.PI * 2, share: 0.75 / rate }));
  const line = (x: number) =>
    base -
    swing *
      waves.reduce(
        (sum, { rate, shift, share }) => sum + share * Math.sin((x / canvas.width) * Math.PI * 2 * rate + shift),
        0,
      );
  const dark = mix(colour, [4, 6, 18], 0.35);
  canvas.ground(line, (y) => mix(colour, dark, (y - base) / Math.max(1, canvas.height - horizon)));
  return line;
}
