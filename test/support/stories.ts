/**
 * Stories for tests: as one would be written, in several languages, and one that means harm.
 *
 * @module
 */
import { PNG } from 'pngjs';

export interface Written {
  language: string;
  title: string;
  paragraphs: readonly string[];
}

export const ENGLISH: Written = {
  language: 'en-GB',
  title: 'Mia, Oskar and the Lantern Moon',
  paragraphs: [
    'The harbour was quiet, the boats were asleep,\nthe seagulls had nothing but secrets to keep;\nand Mia the mouse and old Oskar the owl\nsat wrapped in one blanket, a soft yellow towel.',
    '“The moon has gone out,” whispered Mia, “how queer!\nIt shone on our window this time of the year.”\n“Then someone should light it,” said Oskar, “my dear,\nand nobody closer than we two are here.”',
    'They borrowed a ladder, a lantern, some thread,\na thermos of cocoa, a pillow for bed,\nand climbed up the night, past the church and the hill,\nwhere even the wind held its breath and stood still.',
    'The moon gave a yawn: “I was only so tired.\nMy glow had gone out, and my wick had expired.”\nSo Mia held steady, and Oskar struck light,\nand warm golden honey poured over the night.',
    '“Good night,” said the moon. “Good night,” said the sea.\n“Good night,” said the owl in the old walnut tree.\nAnd Mia, who meant to say one good night more,\nhad fallen asleep by her own little door.',
  ],
};

export const GERMAN: Written = {
  language: 'de-DE',
  title: 'Käthe & Özgür – „Der Mond über Groß-Söhren“',
  paragraphs: [
    'Im Tal, da wohnt ein müder Bär,\nder zählt die Sterne, kreuz und quer.',
    'Gute Nacht, ihr süßen Träume – ß, ä, ö, ü.',
  ],
};

export const ARABIC: Written = {
  language: 'ar',
  title: 'القمر والبومة',
  paragraphs: [
    'كان يا ما كان، في قديم الزمان، قمرٌ صغيرٌ ينام فوق التلّ.',
    'قالت البومة: تصبح على خير يا قمر (Good night, moon).',
  ],
};

export const HEBREW: Written = {
  language: 'he',
  title: 'הירח והינשוף',
  paragraphs: ['לילה טוב, אמר הירח לינשוף הקטן.', 'לילה טוב, ענה הינשוף ועצם את עיניו.'],
};

/** Everything that text must not be able to do. */
export const HOSTILE: Written = {
  language: 'en',
  title: '</title><script>globalThis.harmed = 1</script> "Moon" & \u202Eelttil\u202C ]]>',
  paragraphs: [
    '<img src=x onerror="globalThis.harmed = 2"> <b>bold</b> ]]> <!-- not a comment --> &amp; &#x3c;script&#x3e;',
    '</script><script>globalThis.harmed = 3</script><svg onload="globalThis.harmed = 4"> {{harmed}} ${harmed}',
    'Controls: \u0000\u0001\u0008\u000b\u001f\u007f\ufffe\uffff; a half: \ud83d. Turned: \u202Eback\u202C, \u2067left\u2069.',
    '🦉🌙👩‍👩‍👧‍👦 e\u0301 \u200b\ufeff𝔐𝔬𝔬𝔫 – good night 🌛',
  ],
};

/** A moon over a hill, drawn here. */
export function moonPng(size = 512): Uint8Array {
  const png = new PNG({ width: size, height: size });
  for (let y = 0; y < size; y += 1)
    for (let x = 0; x < size; x += 1) {
      const [u, v] = [x / size, y / size];
      const moon = Math.hypot(u - 0.64, v - 0.32) < 0.17;
      const hill = v > 0.78 - 0.12 * Math.sin(u * Math.PI * 1.3);
      const star = (Math.sin(x * 12.9898 + y * 78.233) * 43758.5453) % 1 > 0.9985 && v < 0.6;
      const sky = [26 + 60 * v, 32 + 44 * v, 74 + 40 * v];
      const [red, green, blue] = moon ? [250, 222, 150] : hill ? [36, 52, 58] : star ? [245, 235, 210] : sky;
      png.data.set([red ?? 0, green ?? 0, blue ?? 0, 255], (y * size + x) * 4);
    }
  return PNG.sync.write(png);
}

export const MOON_SVG =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100"><rect width="100" height="100" fill="#232a4d"/><circle cx="62" cy="36" r="18" fill="#fade96"/></svg>';

/** The smallest WebP there is: one pixel, lossless. */
export const PIXEL_WEBP = Buffer.from('UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==', 'base64');
