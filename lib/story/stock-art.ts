/**
 * Our own drawing, for a picture that was refused: two small animals under a night sky, another one for every story and
 * always the same for the same. Its scene is told from a few words; whatever else they hold, none of it gets into the drawing.
 *
 * @module
 */
import { digestOf } from '../digest.ts';

export const STOCK_MEDIA_TYPE = 'image/svg+xml';

const SIZE = 1024;

interface Palette {
  sky: readonly [string, string, string];
  /** From far to near. */
  hills: readonly [string, string, string];
}

const PALETTES: readonly Palette[] = [
  { sky: ['#0b1036', '#2a2a6b', '#6a5aa6'], hills: ['#3b3a7a', '#272858', '#151737'] },
  { sky: ['#071a33', '#14406b', '#4d86a8'], hills: ['#235a75', '#163f58', '#0b2439'] },
  { sky: ['#1a0f33', '#4b2a66', '#a66a8f'], hills: ['#5b3a70', '#3d2652', '#221433'] },
  { sky: ['#0a1a2a', '#1f3f55', '#6f94a0'], hills: ['#34596a', '#213f4f', '#11242f'] },
];

/** Words of scenes, and what of them shows. */
const MOTIFS = {
  trees: /wood|forest|tree|jungle|wald|bois|forêt|bosque|bosco|skog|garden|park/i,
  waves:
    /sea|ocean|beach|island|lake|river|harbou?r|ship|boat|pirate|under ?water|meer|mer\b|plage|mar\b|playa|mare\b/i,
  castle: /castle|palace|kingdom|tower|king|queen|knight|schloss|burg|château|castillo|castello/i,
  planets: /space|planet|star|galaxy|rocket|mars|weltraum|espace|espacio|spazio/i,
  snow: /snow|winter|ice|north|pole|polar|schnee|neige|hiver|nieve|invierno|neve/i,
  houses: /town|city|village|street|house|farm|school|kitchen|stadt|dorf|haus|ville|maison|ciudad|casa/i,
} as const;
type Motif = keyof typeof MOTIFS;
/** Where no word is known. */
const USUAL: readonly Motif[] = ['trees', 'houses'];

/**
 * @param seed whatever tells stories apart
 * @param scene the words of the scene
 * @returns SVG of 1024 x 1024: shapes and gradients only, under 20 KB
 */
export function drawStockArt(seed: string, scene: string): string {
  const random = randomOf(seed);
  const palette = pick(random, PALETTES);
  const known = (Object.keys(MOTIFS) as Motif[]).filter((motif) => MOTIFS[motif].test(scene));
  const motifs = new Set(known.length > 0 ? known : [pick(random, USUAL)]);
  const shapes = [
    `<rect width="${SIZE}" height="${SIZE}" fill="url(#sky)"/>`,
    stars(random),
    ...(motifs.has('planets') ? [planets(random)] : []),
    moon(random),
    clouds(random),
    hill(random, 650, 70, palette.hills[0]),
    ...(motifs.has('castle') ? [castle(random, palette.hills[1])] : []),
    hill(random, 750, 60, palette.hills[1]),
    ...(motifs.has('trees') ? [trees(random, palette.hills[2])] : []),
    ...(motifs.has('houses') ? [houses(random, palette.hills[2])] : []),
    ...(motifs.has('waves') ? [waves(palette)] : []),
    hill(random, 880, 30, palette.hills[2]),
    animals(random),
    ...(motifs.has('snow') ? [snow(random)] : []),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE} ${SIZE}" width="${SIZE}" height="${SIZE}">${gradients(palette)}${shapes.join('')}</svg>`;
}

type Random = (from: number, to: number) => number;

/** Numbers of a seed, in tenths: xorshift32. */
function randomOf(seed: string): Random {
  let state = Number.parseInt(digestOf(seed).slice(0, 8), 16) || 1;
  return (from, to) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const share = (state >>> 0) / 0x1_0000_0000;
    return Math.round((from + share * (to - from)) * 10) / 10;
  };
}

const pick = <T>(random: Random, from: readonly T[]): T =>
  from[Math.min(from.length - 1, Math.floor(random(0, from.length)))] as T;

const repeat = (times: number, draw: (nth: number) => string): string =>
  Array.from({ length: times }, (_, nth) => draw(nth)).join('');

const gradients = ({ sky }: Palette): string =>
  `<defs><linearGradient id="sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${sky[0]}"/><stop offset="0.55" stop-color="${sky[1]}"/>` +
  `<stop offset="1" stop-color="${sky[2]}"/></linearGradient><radialGradient id="glow"><stop offset="0" stop-color="#fff3cf" stop-opacity="0.5"/>` +
  '<stop offset="1" stop-color="#fff3cf" stop-opacity="0"/></radialGradient></defs>';

function stars(random: Random): string {
  const small = repeat(
    70,
    () =>
      `<circle cx="${random(0, SIZE)}" cy="${random(0, 640)}" r="${random(0.8, 2.6)}" opacity="${random(0.3, 1)}"/>`,
  );
  const large = repeat(7, () => {
    const [x, y, r] = [random(40, 984), random(40, 520), random(7, 13)];
    const q = Math.round(r * 2) / 10;
    return `<path d="M${x} ${y - r}q${q} ${r - q} ${r} ${r}q${-(r - q)} ${q} ${-r} ${r}q${-q} ${-(r - q)} ${-r} ${-r}q${r - q} ${-q} ${r} ${-r}z"/>`;
  });
  return `<g fill="#fff8e1">${small}${large}</g>`;
}

/** A crescent or a full moon, with its glow. */
function moon(random: Random): string {
  const [x, y, r] = [random(220, 800), random(170, 290), random(70, 95)];
  const glow = `<circle cx="${x}" cy="${y}" r="${r * 2.6}" fill="url(#glow)"/>`;
  if (random(0, 1) < 0.6) {
    const inner = Math.round(r * 0.85);
    return `${glow}<path d="M${x} ${y - r}a${r} ${r} 0 1 0 ${r} ${r}a${inner} ${inner} 0 0 1 ${-r} ${-r}z" fill="#fff1c4"/>`;
  }
  const spots = repeat(
    4,
    () =>
      `<circle cx="${x + random(-0.5, 0.5) * r}" cy="${y + random(-0.5, 0.5) * r}" r="${random(6, 14)}" fill="#e9d9a6" opacity="0.6"/>`,
  );
  return `${glow}<circle cx="${x}" cy="${y}" r="${r}" fill="#fff1c4"/>${spots}`;
}

const clouds = (random: Random): string =>
  repeat(3, () => {
    const [x, y, w] = [random(60, 900), random(330, 520), random(70, 130)];
    return (
      `<g fill="#ffffff" opacity="0.13"><ellipse cx="${x}" cy="${y}" rx="${w}" ry="18"/>` +
      `<ellipse cx="${x - w / 3}" cy="${y - 14}" rx="${w / 2}" ry="20"/><ellipse cx="${x + w / 4}" cy="${y - 20}" rx="${w / 2.4}" ry="24"/></g>`
    );
  });

/** Waves of land from one side to the other. */
function hill(random: Random, y: number, swing: number, fill: string): string {
  const steps = 4;
  const width = SIZE / steps;
  const curves = repeat(steps, (nth) => {
    const up = (nth % 2 === 0 ? -1 : 1) * random(0.4, 1) * swing;
    return `Q${nth * width + width / 2} ${Math.round(y + up)} ${(nth + 1) * width} ${y}`;
  });
  return `<path d="M0 ${y}${curves}V${SIZE}H0z" fill="${fill}"/>`;
}

const trees = (random: Random, fill: string): string =>
  `<g fill="${fill}">${repeat(11, (nth) => {
    const [x, y, h] = [nth * 98 + random(-25, 25), random(790, 850), random(120, 220)];
    const w = Math.round(h / 3.4);
    const tier = (at: number, wide: number) =>
      `M${x - w * wide} ${Math.round(y - h * at)}Q${x} ${Math.round(y - h * (at + 0.1))} ${x + w * wide} ${Math.round(y - h * at)}L${x} ${Math.round(y - h * (at + 0.5))}z`;
    return `<path d="M${x - 7} ${y}h14v${-Math.round(h * 0.2)}h-14z${tier(0.12, 1)}${tier(0.34, 0.8)}${tier(0.56, 0.55)}"/>`;
  })}</g>`;

const houses = (random: Random, fill: string): string =>
  repeat(5, (nth) => {
    const [x, y, w, h] = [60 + nth * 200 + random(-30, 30), random(800, 840), random(80, 120), random(70, 110)];
    return (
      `<path d="M${x} ${y}v${-h}l${w / 2} ${-Math.round(h * 0.6)}l${w / 2} ${Math.round(h * 0.6)}v${h + 60}h${-w}z" fill="${fill}"/>` +
      `<rect x="${x + w * 0.3}" y="${y - h * 0.7}" width="${w * 0.16}" height="${h * 0.28}" rx="3" fill="#ffd98a"/>` +
      `<rect x="${x + w * 0.56}" y="${y - h * 0.7}" width="${w * 0.16}" height="${h * 0.28}" rx="3" fill="#ffd98a" opacity="${random(0.3, 1)}"/>`
    );
  });

function castle(random: Random, fill: string): string {
  const x = random(560, 680);
  const tower = (at: number, width: number, top: number) =>
    `<path d="M${at} 760V${top}h${width}V760z"/><path d="M${at - 8} ${top}l${width / 2 + 8} ${-width * 1.2}l${width / 2 + 8} ${width * 1.2}z"/>` +
    `<rect x="${at + width / 2 - 5}" y="${top + 26}" width="10" height="20" rx="5" fill="#ffd98a"/>`;
  return `<g fill="${fill}"><path d="M${x} 760V610h220v150z"/>${tower(x - 25, 60, 560)}${tower(x + 80, 60, 500)}${tower(x + 185, 60, 570)}</g>`;
}

const waves = ({ sky, hills }: Palette): string =>
  `<rect y="770" width="${SIZE}" height="254" fill="${hills[1]}"/>${repeat(
    4,
    (nth) =>
      `<path d="M0 ${790 + nth * 24}${repeat(8, () => 'q32 -16 64 0t64 0')}" fill="none" stroke="${sky[2]}" stroke-width="4" opacity="${0.7 - nth * 0.13}"/>`,
  )}`;

function planets(random: Random): string {
  const [x, y, r] = [random(120, 900), random(430, 520), random(34, 56)];
  return (
    `<circle cx="${x}" cy="${y}" r="${r}" fill="#d99a7c"/><ellipse cx="${x}" cy="${y}" rx="${r * 1.8}" ry="${r * 0.4}" fill="none" stroke="#f4d9b8" stroke-width="6" transform="rotate(-18 ${x} ${y})"/>` +
    `<circle cx="${random(80, 940)}" cy="${random(80, 380)}" r="${random(16, 28)}" fill="#8fb8d8"/>`
  );
}

const snow = (random: Random): string =>
  `<g fill="#ffffff">${repeat(60, () => `<circle cx="${random(0, SIZE)}" cy="${random(0, SIZE)}" r="${random(2, 5)}" opacity="${random(0.3, 0.8)}"/>`)}</g>`;

/** Two friends seen from behind, looking at the moon. */
function animals(random: Random): string {
  const colours = ['#8a5a3c', '#c98a4b', '#6f7f96', '#a98f7a', '#7b6a8f'] as const;
  const first = pick(random, colours);
  const others = colours.filter((colour) => colour !== first);
  return animal(random, 430, 1, first) + animal(random, 590, 0.8, pick(random, others));
}

function animal(random: Random, x: number, scale: number, fill: string): string {
  const pointed = random(0, 1) < 0.5;
  const ears = pointed
    ? '<path d="M-42 -150l-6 -52l40 26zM42 -150l6 -52l-40 26z"/>'
    : '<circle cx="-38" cy="-172" r="20"/><circle cx="38" cy="-172" r="20"/>';
  const tail = pointed
    ? '<path d="M48 -22q56 6 62 -58q-34 18 -66 20z"/>'
    : '<circle cx="0" cy="-18" r="17" fill="#ffffff" fill-opacity="0.35"/>';
  return (
    `<g transform="translate(${x} 905) scale(${scale})" fill="${fill}"><ellipse cx="0" cy="-52" rx="66" ry="70"/>` +
    `<circle cx="0" cy="-136" r="52"/>${ears}${tail}</g>`
  );
}
