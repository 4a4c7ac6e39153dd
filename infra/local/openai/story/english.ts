/**
 * English verses.
 *
 * @module
 */
import type { Verses } from './writer.ts';

export const ENGLISH: Verses = {
  scene: (name) => (/^(the|my|our|his|her|their)\s/i.test(name) ? name : `the ${name.replace(/^an?\s/i, '')}`),
  summary: '{a} and {b} walk through {s} by the light of a lantern, under the moon.',
  titles: [
    '{a}, {b} and the Lantern of {s}',
    '{a} and {b} and the Moon over {s}',
    'How {a} and {b} Sang {s} to Sleep',
    'A Night in {s} for {a} and {b}',
    '{a} and {b} Follow the Stars',
  ],
  openings: [
    `When lamps were turned low and the day was all done,
{a} and {b} watched the last of the sun.
They packed up a lantern, a scarf and some bread,
and tiptoed to {s} instead of to bed.`,
    `There once was an evening all silver and blue,
with {a} and with {b} and with nothing to do,
till somebody whispered, as soft as a dream:
“Come out to {s}, where the glow-worms gleam!”`,
    `The moon had come up like a coin in the sky,
and {a} said to {b}, “I can hear an owl cry.
It calls out from {s}, and it calls us by name;
let’s go there together, let’s make it a game.”`,
    `The stars were awake and the kettle was warm,
no wind on the rooftops, no sign of a storm,
so {a} and {b} set out, hand in hand,
for {s}, the quietest place in the land.`,
  ],
  middles: [
    `A hedgehog in slippers came rolling along
and taught them the words of a lullaby song.
{a} sang the high part and {b} sang the low,
and all around {s} the small lights were aglow.`,
    `They came to a river of moonlight and foam,
where fireflies drifted, a long way from home.
{b} built a boat from the bark of a tree,
and {a} steered it softly, as slow as can be.`,
    `An owl on a branch blinked its eyes, one and two,
and asked every question an owl ever knew.
{a} answered kindly, and {b} helped along,
and nobody minded which answers were wrong.`,
    `A fox in a waistcoat was looking for socks,
for cold are the toes of a travelling fox.
{b} found the left one and {a} found the right,
and proud as a prince he strolled into the night.`,
    `The path gave a wiggle, the path gave a bend,
and there sat a snail who had lost his best friend.
So {a} looked under and {b} looked behind,
and, oh, what a small happy snail did they find!`,
    `A cloud had grown tired and sat on the ground,
as soft as a pillow and perfectly round.
{a} leaned against it and {b} did the same,
and gave it a ribbon, a hug and a name.`,
    `Deep inside {s} an old lantern stood,
and under it waited a mouse in a hood.
“I’m shy,” said the mouse, “of the dark and the deep.”
{b} stayed beside her till she was asleep.`,
    `They counted the stars from the left to the right,
and gave every seventh a wave of goodnight.
{a} counted slowly and {b} counted fast,
and both of them came to the same star at last.`,
    `A bridge made of moonbeams went over the brook;
{a} took a step and then {b} had a look.
It hummed like a harp and it held like a stone,
and nobody had to walk over alone.`,
    `The wind brought a letter all written in blue:
“Dear {a} and {b}, this evening’s for you.
Be gentle, be curious, take all the time,
and answer the echo whenever you rhyme.”`,
    `An old wooden door had a little brass key,
and {b} turned it once while {a} counted three.
Behind it were blankets and cushions and tea,
as cosy as ever a kitchen could be.`,
    `A frog with a fiddle sat down by the reeds
and played them a tune that a tired heart needs.
{a} danced a circle and {b} danced a square,
and ripples of music went up in the air.`,
    `A bear made of shadow stood up by the wall,
but it turned out to be only big, that was all.
{a} said, “Good evening,” and {b} made a bow,
and nobody minded the big shadow now.`,
    `They lifted their lantern and followed the glow
of mushrooms in rows where the tall grasses grow.
In all of {s} not a creature was cross,
and {a} and {b} found two pillows of moss.`,
    `A turtle came by with a clock on her back
that ticked very softly and knew every track.
{b} wound it gently and {a} set it right,
and twelve little chimes wandered into the night.`,
    `The rain fell a minute, as light as a feather;
{a} and {b} held a big leaf together.
And under the leaf, where the drops couldn’t fall,
sat three little beetles, the smallest of all.`,
    `Up on the hill stood a tower so thin,
the moon had to breathe in to let itself in.
{a} climbed the ladder and {b} held it tight,
and each took a turn to look over the night.`,
    `A train made of whispers rolled by on the hill,
delivering dreams to each small window sill.
{b} waved the lantern and {a} waved a hand,
and on went the whispers through slumbering land.`,
  ],
  again: [
    `“Once more,” whispered {s}, “let me show you some more!”
So {a} and {b} went again through the door.
The same little stars had a new song to sing,
and round went the night like a silvery ring.`,
    `They went on a little, then on for a while,
past {s} and the moon and its slow sleepy smile.
“I know you,” said {a}, “from the start of the way!”
and {b} heard the evening go quietly grey.`,
  ],
  endings: [
    `And slowly {s} grew quiet and deep,
for even the shadows were falling asleep.
Goodnight to you, {a}, and goodnight, {b}, my dear:
tomorrow has wonders, and morning is near.`,
    `Then home went the lantern, and home went the two,
on soft little footsteps, through silver and dew.
{a} gave a yawn, and then {b} gave one too,
and {s} sang the song of the night right on through.`,
    `The moon tucked in {s} with a blanket of light,
and {a} and {b} were both wished a good night.
So close both your eyes now, the story is told,
with someone to cuddle and someone to hold.`,
  ],
};
