/**
 * Shapes with smooth edges on a picture of RGBA pixels.
 *
 * @module
 */
import type { Pixels } from './picture.ts';

export type Colour = readonly [red: number, green: number, blue: number];
export type Point = readonly [x: number, y: number];

/** Lines each row is looked at by, for the edges of polygons. */
const SUBROWS = 4;

export class Canvas implements Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Buffer;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.data = Buffer.alloc(width * height * 4, 255);
  }

  /** Each row in one colour. */
  rows(colourOf: (y: number) => Colour): void {
    for (let y = 0; y < this.height; y += 1) {
      const [red, green, blue] = colourOf(y);
      const word = (red | (green << 8) | (blue << 16) | (255 << 24)) >>> 0;
      const row = new Uint32Array(this.data.buffer, this.data.byteOffset + y * this.width * 4, this.width);
      row.fill(word);
    }
  }

  disc(x: number, y: number, radius: number, colour: Colour, alpha = 1): void {
    this.ellipse(x, y, radius, radius, colour, alpha);
  }

  ellipse(x: number, y: number, rx: number, ry: number, colour: Colour, alpha = 1): void {
    const least = Math.min(rx, ry);
    this.#within(
      x,
      y,
      rx + 1,
      ry + 1,
      (px, py) => {
        const far = distance((px - x) / rx, (py - y) / ry);
        return alpha * clamp((1 - far) * least + 0.5);
      },
      colour,
    );
  }

  /** Light that fades with the distance. In steps, which are not seen and make the file small. */
  glow(x: number, y: number, radius: number, colour: Colour, alpha: number): void {
    this.#within(
      x,
      y,
      radius,
      radius,
      (px, py) => {
        const near = 1 - distance(px - x, py - y) / radius;
        return near <= 0 ? 0 : (Math.round(near * near * 96) / 96) * alpha;
      },
      colour,
    );
  }

  /** By the even-odd rule. */
  polygon(points: readonly Point[], colour: Colour, alpha = 1): void {
    const ys = points.map(([, y]) => y);
    const from = Math.max(0, Math.floor(Math.min(...ys)));
    const to = Math.min(this.height - 1, Math.ceil(Math.max(...ys)));
    const cover = new Float32Array(this.width);
    for (let y = from; y <= to; y += 1) {
      let [left, right] = [this.width, -1];
      for (let sub = 0; sub < SUBROWS; sub += 1) {
        const crossings = crossingsAt(points, y + (sub + 0.5) / SUBROWS);
        for (let index = 0; index + 1 < crossings.length; index += 2) {
          const [begin = 0, end = 0] = [crossings[index], crossings[index + 1]];
          const [first, last] = spread(cover, begin, end);
          left = Math.min(left, first);
          right = Math.max(right, last);
        }
      }
      for (let x = left; x <= right; x += 1) this.#blend(x, y, colour, alpha * Math.min(1, cover[x] ?? 0));
      if (right >= left) cover.fill(0, left, right + 1);
    }
  }

  rectangle(x: number, y: number, width: number, height: number, colour: Colour, alpha = 1): void {
    this.polygon(
      [
        [x, y],
        [x + width, y],
        [x + width, y + height],
        [x, y + height],
      ],
      colour,
      alpha,
    );
  }

  /** Everything below a line that is told by its height at each x. */
  ground(heightAt: (x: number) => number, colourOf: (y: number) => Colour): void {
    const colours = Array.from({ length: this.height }, (_, y) => colourOf(y));
    for (let x = 0; x < this.width; x += 1) {
      const top = heightAt(x);
      const first = Math.max(0, Math.floor(top));
      for (let y = first; y < this.height; y += 1) {
        this.#blend(x, y, colours[y] as Colour, y === first ? Math.min(1, first + 1 - top) : 1);
      }
    }
  }

  #within(
    x: number,
    y: number,
    rx: number,
    ry: number,
    alphaAt: (px: number, py: number) => number,
    colour: Colour,
  ): void {
    const [left, right] = [Math.max(0, Math.floor(x - rx)), Math.min(this.width - 1, Math.ceil(x + rx))];
    const [top, bottom] = [Math.max(0, Math.floor(y - ry)), Math.min(this.height - 1, Math.ceil(y + ry))];
    for (let py = top; py <= bottom; py += 1) {
      for (let px = left; px <= right; px += 1) this.#blend(px, py, colour, alphaAt(px + 0.5, py + 0.5));
    }
  }

  #blend(x: number, y: number, colour: Colour, alpha: number): void {
    if (alpha <= 0) return;
    const { data } = this;
    const at = (y * this.width + x) * 4;
    for (let channel = 0; channel < 3; channel += 1) {
      const before = data[at + channel] as number;
      // A buffer cuts off what is behind the point.
      data[at + channel] = before + ((colour[channel] as number) - before) * alpha + 0.5;
    }
  }
}

/** Many times faster than Math.hypot, and nothing here is large. */
const distance = (dx: number, dy: number): number => Math.sqrt(dx * dx + dy * dy);

export const clamp = (value: number): number => Math.max(0, Math.min(1, value));

export function mix(from: Colour, to: Colour, share: number): Colour {
  const part = clamp(share);
  return [0, 1, 2].map((channel) =>
    Math.round((from[channel] ?? 0) * (1 - part) + (to[channel] ?? 0) * part),
  ) as unknown as Colour;
}

/** Where a line crosses the edges, from left to right. */
function crossingsAt(points: readonly Point[], y: number): number[] {
  const found: number[] = [];
  for (let index = 0; index < points.length; index += 1) {
    const [x1, y1] = points[index] as Point;
    const [x2, y2] = points[(index + 1) % points.length] as Point;
    if (y1 <= y === y2 <= y) continue;
    found.push(x1 + ((y - y1) / (y2 - y1)) * (x2 - x1));
  }
  return found.sort((a, b) => a - b);
}

/** Adds the share of each pixel that lies between two places of a subrow. @returns the pixels touched */
function spread(cover: Float32Array, begin: number, end: number): [number, number] {
  const from = Math.max(0, begin);
  const to = Math.min(cover.length, end);
  if (to <= from) return [cover.length, -1];
  const [first, last] = [Math.floor(from), Math.min(cover.length - 1, Math.floor(to))];
  for (let x = first; x <= last; x += 1) {
    const share = Math.min(to, x + 1) - Math.max(from, x);
    cover[x] = (cover[x] ?? 0) + share / SUBROWS;
  }
  return [first, last];
}
