/**
 * German verses. The scene stands in them as a name, in quotation marks: nobody knows its gender.
 *
 * @module
 */
import type { Verses } from './writer.ts';

export const GERMAN: Verses = {
  scene: (name) => `„${name}“`,
  summary: '{a} und {b} gehen im Mondlicht mit einer Laterne durch {s}.',
  titles: [
    '{a}, {b} und die Laterne',
    '{a} und {b}: eine Nacht in {s}',
    'Wie {a} und {b} den Mond besuchten',
    '{a} und {b} folgen den Sternen',
  ],
  openings: [
    `Die Lampen sind leise, der Tag ist vorbei,
da flüstern noch {a} und {b}, diese zwei.
{S} steht in silberner Schrift auf dem Schild,
der Weg ist aus Mondlicht, der Wind ist ganz mild.`,
    `Der Mond steht am Himmel, die Eule ruft: „Hu!
Wer kommt heute Abend noch mit mir dazu?“
Da nehmen sich {a} und {b} bei der Hand,
{s} heißt heute Nacht ihr verzaubertes Land.`,
    `Die Sterne sind wach, und der Tee ist noch warm,
{a} geht hinaus, die Laterne im Arm,
und {b} packt das Brot und die Decken mit ein:
{s} wird heut Abend ihr Reiseziel sein.`,
  ],
  middles: [
    `Ein Igel in Socken kommt langsam daher
und sagt: „Liebe Freunde, ich friere so sehr.“
{b} holt einen Schal, und {a} holt den Tee,
da tut auch die kleinste der Pfoten nicht weh.`,
    `Ein Frosch mit der Geige sitzt mitten im Moor
und spielt seinem Spiegelbild leise was vor.
{a} tanzt im Kreise, und {b} tanzt im Stern,
und alle Laternen, die hören es gern.`,
    `Sie zählen die Sterne von hier bis nach dort,
und jeder bekommt noch ein freundliches Wort.
{a} zählt ganz langsam, und {b} zählt geschwind,
und müde und sanft zählt am Ende der Wind.`,
    `Ein Schatten steht groß an der uralten Wand,
doch {a} und {b} stehen Hand schon in Hand.
„Guten Abend, Herr Schatten!“, so rufen sie laut,
da hat er sich freundlich zu lachen getraut.`,
    `Die Brücke aus Mondlicht führt über den Bach,
sie schimmert und summt, und die Fische sind wach.
Erst {a} und dann {b}, sie gehen ganz sacht,
und niemand geht heute allein durch die Nacht.`,
    `Ein Zug voller Träume fährt leise vorbei,
mit Kissen und Decken, mit Plätzen für zwei.
{b} winkt mit der Lampe, und {a} winkt zurück,
und hinter den Fenstern, da leuchtet das Glück.`,
    `Ein Fuchs sucht im Dunkeln den zweiten der Schuh,
und {a} hilft ihm suchen, und {b} hilft dazu.
Da liegt er im Moos, und der Fuchs tanzt im Kreis,
so froh wie ein König und trotzdem ganz leis.`,
    `Die Wolke war müde und legte sich hin,
mit flauschigem Bauch und mit Grübchen am Kinn.
{a} lehnt sich daran, und {b} lehnt sich auch,
und alle zusammen, sie wärmen den Bauch.`,
    `Der Wind bringt ein Briefchen, so leicht wie ein Blatt:
„Für {a} und {b} aus der nächtlichen Stadt.
Seid freundlich, seid neugierig, nehmt euch nur Zeit,
der Morgen ist nahe, der Weg ist nicht weit.“`,
    `{S}, so murmelt der Bach vor sich hin,
„ist schön, weil ich hier unter Freunden ja bin.“
Und {a} hört zu, und {b} summt dazu,
und langsam, ganz langsam kommt alles zur Ruh.`,
    `Die Eule im Baum macht die Augen ganz weit
und fragt nach dem Weg und dem Wetter der Zeit.
{a} zeigt nach links, und {b} zeigt geradeaus,
und beide, sie finden gemeinsam nach Haus.`,
    `Im Gras glüht ein Pilz wie ein winziges Licht,
und unter ihm schreibt eine Maus ein Gedicht.
{b} reicht ihr die Feder, und {a} das Papier,
nun steht es geschrieben: „Ich wohne gern hier.“`,
    `Ein Turm steht am Hügel, so schmal wie ein Stab,
der Mond klettert heimlich die Leiter hinab.
{a} hält sie unten, und {b} hält sie fest,
die Vögel, sie schlafen schon alle im Nest.`,
  ],
  again: [
    `„Noch einmal!“, ruft leise der Mond in der Höh,
und {a} und {b} gehen weiter durch Klee.
Die nämlichen Sterne, sie stehen bereit
und singen ein anderes Lied aus der Zeit.`,
  ],
  endings: [
    `Nun werden die Augen so schwer und so klein,
der Mond schaut noch einmal zum Fenster herein.
Gute Nacht, {a} und {b}, gebt acht auf den Traum,
er sitzt schon wie Silber im schlafenden Baum.`,
    `{S} wird still, und die Lampe geht aus,
und {a} und {b} sind im Bett und zu Haus.
Schlaft gut, liebe Träumer, der Tag ist vollbracht,
es leuchten die Sterne, es wacht nun die Nacht.`,
  ],
};
