/**
 * Where a ${{ }} may stand in a command. What is accepted is run by the real shell in launch-manifest.test.ts.
 *
 * @module
 */
import { describe, expect, it } from 'vitest';
import { refusedPlaces } from '../../workflows/launch/sheet/shell-places.ts';
import { parseTemplate } from '../../workflows/launch/sheet/template.ts';

/** `@` stands for a template. */
const refused = (script: string) => refusedPlaces(parseTemplate(script.replaceAll('@', '${{ parameters.x }}')));

describe('a template is accepted', () => {
  it.each([
    ['as a word', 'run @ @'],
    ['inside a word', 'run --quality=@.5'],
    ['between quoted parts', `run 'a'@"b"`],
    ['after an escaped quote', `echo \\' @`],
    ['after an apostrophe in double quotes', `echo "it's" @`],
    ['after a double quote in single quotes', `echo '"' @`],
    ['in a command substitution', 'x=$(run @)'],
    ['in a command substitution in double quotes', 'x="$(run @)"'],
    ['in a subshell in a function', 'f() { (cd / && run @); }'],
    ['after a comment with quotes', '# it\'s "so\nrun @'],
    ['after a # that is no comment', 'echo a#b $# ${#x} @'],
    ['on the line that opens a here-document', 'cat > @ <<EOF\n"\nEOF\nrun @'],
    ['after two here-documents', 'cat <<A <<-"B"\n"\nA\n\'\n\tB\nrun @'],
    ['after a here-string', 'cat <<< x\nrun @'],
    ['after an escaped backslash', 'echo \\\\@'],
    ['after closed backquotes', 'x=`date` @'],
  ])('%s', (_, script) => expect(refused(script)).toEqual([]));
});

describe('a template is refused', () => {
  it.each([
    ['right in double quotes', 'echo "@"', 'quotes'],
    ['among words in double quotes', 'echo "sample @ done"', 'quotes'],
    ['among words in single quotes', `awk '$1 > @ {print}' x`, 'quotes'],
    ['in double quotes inside a substitution', 'x="$(echo "a @ b")"', 'quotes'],
    ['after a substitution in double quotes', 'echo "$(date) @"', 'quotes'],
    ['after a bracket in double quotes', 'echo "a ) @"', 'quotes'],
    ['in double quotes over lines', 'echo "\n @\n"', 'quotes'],
    ['after an escaped quote in double quotes', 'echo "\\" @"', 'quotes'],
    ['in a here-document', 'cat <<EOF\nsample @\nEOF\n', 'here-document'],
    ['in a quoted here-document', "cat <<'EOF'\n@\nEOF\n", 'here-document'],
    ['in the second here-document', 'cat <<A; cat <<B\nx\nA\n@\nB\n', 'here-document'],
    ['in a comment', 'run # @', 'comment'],
    ['in backquotes', 'x=`run @`', 'backquotes'],
    ['after a backslash', 'echo \\@', 'right before'],
    ['after a dollar', 'echo $@', 'right before'],
  ])('%s', (_, script, words) => {
    expect(refused(script)).toHaveLength(1);
    expect(refused(script)[0]).toContain(words);
  });

  it('with each reason once', () => {
    expect(refused('echo "@ @"; echo "@"; : `@`')).toHaveLength(2);
  });
});
