/**
 * Two little figures, hand in hand, one with a lantern.
 *
 * @module
 */
import { type Colour, mix } from './canvas.ts';
import type { Painter } from './features.ts';

const COATS: readonly Colour[] = [
  [214, 84, 84],
  [232, 168, 72],
  [84, 164, 132],
  [96, 132, 214],
  [176, 104, 196],
  [230, 122, 160],
];
const SKINS: readonly Colour[] = [
  [246, 214, 184],
  [214, 164, 124],
  [160, 108, 76],
  [112, 74, 54],
];
const HAIRS: readonly Colour[] = [
  [58, 38, 30],
  [120, 72, 40],
  [214, 170, 96],
  [30, 28, 34],
  [168, 74, 42],
];

/** @param groundAt the line they stand on */
export function drawFigures({ canvas, random, unit, near }: Painter, groundAt: (x: number) => number): void {
  const middle = canvas.width * (0.44 + 0.12 * random());
  const apart = 74 * unit;
  const [first, second] = [middle - apart / 2, middle + apart / 2];
  const foot = groundAt(middle) + 26 * unit;
  const lantern = { x: second + 62 * unit, y: foot - 84 * unit };
  canvas.glow(lantern.x, lantern.y, 330 * unit, [255, 204, 112], 0.5);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const coat = pick(COATS);
  const others = COATS.filter((colour) => colour !== coat);
  const figure = (x: number, coatColour: Colour, tall: number) => {
    const skin = pick(SKINS);
    const hair = pick(HAIRS);
    const shoulder = foot - tall * 0.62;
    const head = foot - tall * 0.8;
    canvas.ellipse(x, foot + 4 * unit, 46 * unit, 8 * unit, mix(near, [0, 0, 0], 0.5), 0.6);
    for (const side of [-1, 1]) {
      canvas.rectangle(
        x + side * 13 * unit - 7 * unit,
        foot - 30 * unit,
        14 * unit,
        30 * unit,
        mix(coatColour, [20, 16, 40], 0.75),
      );
      canvas.ellipse(x + side * 15 * unit, foot, 13 * unit, 7 * unit, [40, 28, 34]);
    }
    canvas.polygon(
      [
        [x - 20 * unit, shoulder],
        [x + 20 * unit, shoulder],
        [x + 38 * unit, foot - 24 * unit],
        [x - 38 * unit, foot - 24 * unit],
      ],
      coatColour,
    );
    canvas.disc(x, shoulder + 2 * unit, 20 * unit, coatColour);
    canvas.disc(x, head, 29 * unit, hair);
    canvas.disc(x, head + 5 * unit, 25 * unit, skin);
    canvas.ellipse(x, head - 15 * unit, 27 * unit, 14 * unit, hair);
    for (const side of [-1, 1]) {
      canvas.disc(x + side * 9 * unit, head + 6 * unit, 2.8 * unit, [32, 24, 36]);
      canvas.disc(x + side * 15 * unit, head + 13 * unit, 4.5 * unit, [236, 120, 112], 0.45);
    }
    canvas.ellipse(x, head + 14 * unit, 8 * unit, 6 * unit, mix(skin, [120, 30, 40], 0.75));
    canvas.ellipse(x, head + 11 * unit, 9 * unit, 6 * unit, skin);
    return { coat: coatColour, skin, shoulder };
  };
  const arm = (x1: number, y1: number, x2: number, y2: number, colour: Colour, hand: Colour) => {
    const half = 7 * unit;
    const long = Math.hypot(x2 - x1, y2 - y1);
    const [nx, ny] = [((y2 - y1) / long) * half, ((x1 - x2) / long) * half];
    canvas.polygon(
      [
        [x1 + nx, y1 + ny],
        [x2 + nx, y2 + ny],
        [x2 - nx, y2 - ny],
        [x1 - nx, y1 - ny],
      ],
      colour,
    );
    canvas.disc(x2, y2, 8 * unit, hand);
  };
  const left = figure(first, coat, (168 + 30 * random()) * unit);
  const right = figure(second, pick(others), (168 + 30 * random()) * unit);
  const hands = foot - 72 * unit;
  arm(first + 18 * unit, left.shoulder + 12 * unit, middle, hands, mix(left.coat, [0, 0, 0], 0.15), left.skin);
  arm(second - 18 * unit, right.shoulder + 12 * unit, middle, hands, mix(right.coat, [0, 0, 0], 0.15), right.skin);
  arm(
    first - 18 * unit,
    left.shoulder + 12 * unit,
    first - 42 * unit,
    foot - 62 * unit,
    mix(left.coat, [0, 0, 0], 0.15),
    left.skin,
  );
  arm(
    second + 18 * unit,
    right.shoulder + 12 * unit,
    lantern.x,
    lantern.y - 30 * unit,
    mix(right.coat, [0, 0, 0], 0.15),
    right.skin,
  );
  canvas.rectangle(lantern.x - 1.5 * unit, lantern.y - 30 * unit, 3 * unit, 12 * unit, [50, 36, 34]);
  canvas.rectangle(lantern.x - 13 * unit, lantern.y - 18 * unit, 26 * unit, 6 * unit, [50, 36, 34]);
  canvas.rectangle(lantern.x - 11 * unit, lantern.y - 12 * unit, 22 * unit, 28 * unit, [255, 226, 150]);
  canvas.ellipse(lantern.x, lantern.y + 4 * unit, 5 * unit, 9 * unit, [255, 250, 230]);
  canvas.rectangle(lantern.x - 13 * unit, lantern.y + 16 * unit, 26 * unit, 5 * unit, [50, 36, 34]);
}
