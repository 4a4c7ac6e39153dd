/**
 * What a scene can have, and the words that call for it.
 *
 * @module
 */
import { type Canvas, type Colour, mix, type Point } from './canvas.ts';

export interface Painter {
  canvas: Canvas;
  random: () => number;
  /** Pixels of a 1,024th of the shorter side. */
  unit: number;
  /** y of where the sky ends. */
  horizon: number;
  moon: { x: number; y: number; radius: number };
  far: Colour;
  near: Colour;
}

interface Feature {
  words: RegExp;
  /** Before the nearer hills. */
  behind?(painter: Painter): void;
  paint?(painter: Painter): void;
}

const LIGHT: Colour = [255, 214, 128];

/** The first is drawn where no word calls for another. */
export const FEATURES: readonly Feature[] = [
  { words: /wood|forest|\btrees?\b|jungle|grove|orchard|\bparks?\b|wald|wäld|baum|bäum/, paint: drawTrees },
  { words: /castle|palace|\btower|kingdom|\bfort\b|schloss|burg\b|\bturm/, paint: drawCastle },
  {
    words:
      /\bseas?\b|ocean|beach|island|harbou?r|\bships?\b|pirate|\blake|lagoon|\briver|underwater|lighthouse|meer|\binsel|hafen|strand|schiff/,
    paint: drawSea,
  },
  {
    words: /mountain|\bsnow|\bice\b|\bicy\b|winter|arctic|glacier|volcano|cliff|berge?\b|schnee|\beis/,
    behind: drawMountains,
  },
  { words: /\bspace|planet|rocket|galax|comet|\bmars\b|weltall|weltraum|rakete/, behind: drawPlanet },
  {
    words: /\bcity|\btown|village|\bhouses?\b|street|cottage|\bfarm|library|\btrain\b|market|stadt|dorf|haus|straße/,
    paint: drawHouses,
  },
  { words: /meadow|garden|flower|\bfields?\b|prairie|wiese|garten|blume/, paint: drawFlowers },
];

function drawTrees({ canvas, random, unit, horizon, near, far }: Painter): void {
  const count = Math.round(canvas.width / (44 * unit));
  for (let tree = 0; tree < count; tree += 1) {
    const x = ((tree + random()) / count) * canvas.width;
    // The middle stays open: there the figures are.
    if (Math.abs(x / canvas.width - 0.5) < 0.14) continue;
    const depth = random();
    const foot = horizon + (60 + 90 * depth) * unit;
    const tall = (150 + 190 * depth) * unit;
    const colour = mix(far, near, 0.35 + 0.6 * depth);
    canvas.rectangle(x - 6 * unit, foot - 30 * unit, 12 * unit, 40 * unit, mix(colour, [30, 18, 20], 0.4));
    for (let layer = 0; layer < 4; layer += 1) {
      const half = (66 - layer * 13) * unit * (0.7 + 0.4 * depth);
      const low = foot - 20 * unit - (layer * tall) / 5;
      canvas.polygon(
        [
          [x - half, low],
          [x, low - tall * 0.42],
          [x + half, low],
        ],
        mix(colour, far, layer * 0.09),
      );
    }
  }
}

function drawCastle({ canvas, random, unit, horizon, far }: Painter): void {
  const x = canvas.width * (random() < 0.5 ? 0.26 : 0.72);
  const foot = horizon + 60 * unit;
  const stone = mix(far, [10, 10, 30], 0.45);
  const tower = (dx: number, half: number, tall: number) => {
    const [left, top] = [x + (dx - half) * unit, foot - tall * unit];
    canvas.rectangle(left, top, 2 * half * unit, tall * unit, stone);
    const roof: Point[] = [
      [left - 10 * unit, top],
      [x + dx * unit, top - 1.9 * half * unit - 30 * unit],
      [left + (2 * half + 10) * unit, top],
    ];
    canvas.polygon(roof, mix(stone, [120, 40, 70], 0.35));
    for (let row = 0; row < tall / 90; row += 1) {
      if (random() < 0.35) continue;
      canvas.ellipse(x + dx * unit, top + (40 + row * 70) * unit, 7 * unit, 12 * unit, LIGHT, 0.95);
    }
  };
  canvas.rectangle(x - 150 * unit, foot - 150 * unit, 300 * unit, 150 * unit, stone);
  for (let notch = 0; notch < 8; notch += 1) {
    canvas.rectangle(x + (-150 + notch * 40) * unit, foot - 168 * unit, 20 * unit, 20 * unit, stone);
  }
  tower(-150, 34, 250);
  tower(150, 34, 230);
  tower(0, 46, 340);
  const gate = mix(stone, [0, 0, 0], 0.5);
  canvas.disc(x, foot - 62 * unit, 30 * unit, gate);
  canvas.rectangle(x - 30 * unit, foot - 62 * unit, 60 * unit, 62 * unit, gate);
}

function drawSea({ canvas, random, unit, horizon, moon, near }: Painter): void {
  const top = horizon + 34 * unit;
  const deep = mix(near, [16, 60, 96], 0.55);
  canvas.ground(
    () => top,
    (y) => mix(mix(deep, [120, 160, 200], 0.25), deep, (y - top) / (140 * unit)),
  );
  for (let glint = 0; glint < 70; glint += 1) {
    const y = top + random() * 150 * unit;
    const wide = (10 + 50 * random()) * unit;
    const x = moon.x + (random() - 0.5) * (60 * unit + (y - top) * 1.5);
    canvas.ellipse(x, y, wide, 1.8 * unit, [253, 243, 208], 0.28 + 0.4 * random());
  }
  const [x, y] = [canvas.width * (moon.x < canvas.width / 2 ? 0.76 : 0.24), top + 34 * unit];
  canvas.polygon(
    [
      [x - 70 * unit, y],
      [x + 70 * unit, y],
      [x + 44 * unit, y + 30 * unit],
      [x - 44 * unit, y + 30 * unit],
    ],
    [58, 34, 40],
  );
  canvas.rectangle(x - 2 * unit, y - 120 * unit, 4 * unit, 120 * unit, [58, 34, 40]);
  canvas.polygon(
    [
      [x + 6 * unit, y - 116 * unit],
      [x + 66 * unit, y - 14 * unit],
      [x + 6 * unit, y - 14 * unit],
    ],
    [244, 231, 208],
  );
  canvas.polygon(
    [
      [x - 6 * unit, y - 100 * unit],
      [x - 50 * unit, y - 14 * unit],
      [x - 6 * unit, y - 14 * unit],
    ],
    [226, 206, 190],
  );
}

function drawMountains({ canvas, random, unit, horizon, far }: Painter): void {
  for (let peak = 0; peak < 5; peak += 1) {
    const x = ((peak + 0.15 + 0.7 * random()) / 5) * canvas.width;
    const tall = (230 + 170 * random()) * unit;
    const half = tall * (0.72 + 0.3 * random());
    const foot = horizon + 90 * unit;
    const top = horizon + 30 * unit - tall;
    const rock = mix(far, [150, 160, 205], 0.18 + 0.12 * random());
    canvas.polygon(
      [
        [x - half, foot],
        [x, top],
        [x + half, foot],
      ],
      rock,
    );
    canvas.polygon(
      [
        [x, top],
        [x + half, foot],
        [x + half * 0.2, foot],
      ],
      mix(rock, [0, 0, 20], 0.25),
    );
    const snow = 0.3;
    const [left, right, low] = [x - half * snow, x + half * snow, top + (foot - top) * snow];
    const edge: Point[] = [
      [right, low],
      [x + half * 0.16, low - 22 * unit],
      [x + half * 0.04, low + 14 * unit],
      [x - half * 0.14, low - 18 * unit],
    ];
    canvas.polygon([[left, low], [x, top], ...edge], [236, 241, 252]);
  }
}

function drawPlanet({ canvas, random, unit, moon }: Painter): void {
  const x = moon.x < canvas.width / 2 ? canvas.width * 0.76 : canvas.width * 0.24;
  const y = canvas.height * (0.3 + 0.08 * random());
  const body = mix([214, 120, 92], [92, 150, 190], random());
  canvas.glow(x, y, 190 * unit, body, 0.35);
  canvas.disc(x, y, 84 * unit, body);
  canvas.ellipse(x - 14 * unit, y - 20 * unit, 62 * unit, 10 * unit, mix(body, [255, 255, 255], 0.35), 0.6);
  canvas.ellipse(x + 8 * unit, y + 22 * unit, 66 * unit, 12 * unit, mix(body, [30, 10, 40], 0.3), 0.6);
  for (let step = 0; step < 3; step += 1) {
    const [rx, ry] = [(130 + 14 * step) * unit, (26 + 3 * step) * unit];
    const ring: Point[] = Array.from({ length: 64 }, (_, index) => {
      const angle = (index / 63) * Math.PI;
      return [x + rx * Math.cos(angle), y + ry * Math.sin(angle)];
    });
    const inner = [...ring].reverse().map(([px, py]): Point => [px, py - 4 * unit]);
    canvas.polygon([...ring, ...inner], mix(body, [255, 240, 210], 0.6), 0.8);
  }
}

function drawHouses({ canvas, random, unit, horizon, near, far }: Painter): void {
  const count = Math.round(canvas.width / (128 * unit));
  for (let house = 0; house < count; house += 1) {
    const x = ((house + 0.2 + 0.6 * random()) / count) * canvas.width;
    if (Math.abs(x / canvas.width - 0.5) < 0.1) continue;
    const [half, tall] = [(38 + 18 * random()) * unit, (70 + 70 * random()) * unit];
    const foot = horizon + (70 + 40 * random()) * unit;
    const wall = mix(far, near, 0.3 + 0.5 * random());
    canvas.rectangle(x - half, foot - tall, 2 * half, tall, wall);
    const roof = mix([122, 52, 66], wall, 0.45);
    canvas.polygon(
      [
        [x - half - 10 * unit, foot - tall],
        [x, foot - tall - 62 * unit],
        [x + half + 10 * unit, foot - tall],
      ],
      roof,
    );
    canvas.rectangle(x + half * 0.4, foot - tall - 58 * unit, 12 * unit, 36 * unit, roof);
    for (const side of [-0.45, 0.45]) {
      const [wx, wy] = [x + side * half, foot - tall * 0.6];
      if (random() < 0.25) continue;
      canvas.glow(wx, wy, 44 * unit, LIGHT, 0.5);
      canvas.rectangle(wx - 9 * unit, wy - 11 * unit, 18 * unit, 22 * unit, LIGHT);
    }
  }
}

function drawFlowers({ canvas, random, unit, horizon, near }: Painter): void {
  const colours: Colour[] = [
    [236, 138, 158],
    [248, 214, 120],
    [182, 160, 240],
    [240, 240, 250],
  ];
  for (let flower = 0; flower < 110; flower += 1) {
    const [x, y] = [random() * canvas.width, horizon + (50 + 120 * random()) * unit];
    const size = (3 + 4 * random()) * unit;
    const colour = colours[Math.floor(random() * colours.length)] as Colour;
    canvas.rectangle(x - unit, y, 2 * unit, 4 * size, mix(near, [60, 130, 90], 0.5));
    for (let petal = 0; petal < 5; petal += 1) {
      const angle = (petal / 5) * Math.PI * 2;
      canvas.disc(x + Math.cos(angle) * size, y + Math.sin(angle) * size, size * 0.62, colour, 0.85);
    }
    canvas.disc(x, y, size * 0.5, LIGHT);
  }
}
