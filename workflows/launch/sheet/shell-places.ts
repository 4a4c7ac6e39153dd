/**
 * Where in a shell script a `${{ }}` may stand. Its value is put in as one quoted word (see quoteForShell), and that
 * holds in plain places only: inside double quotes, here-documents, comments and backquotes the shell would read what
 * is in the value, `$(...)` included.
 *
 * @module
 */
import type { Part } from './template.ts';

type Context = 'plain' | 'paren' | 'single' | 'double' | 'backquote' | 'comment';

/** What is wrong with each kind of place. */
const REFUSED: Readonly<Record<string, string>> = {
  single: 'a ${{ }} stands in quotes; its value is quoted for the shell already, so leave the quotes away',
  double: 'a ${{ }} stands in quotes; its value is quoted for the shell already, so leave the quotes away',
  backquote: 'a ${{ }} stands in backquotes, where its value cannot be quoted; write $( ) instead',
  comment: 'a ${{ }} stands in a comment, which a value of several lines would end; leave it away',
  document: 'a ${{ }} stands in a here-document, where its value cannot be quoted; use printf instead',
  escape: 'a \\ or $ stands right before a ${{ }} and would change how its value is read; leave it away',
};

/** @returns what is wrong with the places of the script's templates, each once */
export function refusedPlaces(parts: readonly Part[]): string[] {
  const scanner = new ShellScanner();
  const found = new Set<string>();
  for (const part of parts) {
    if (typeof part === 'string') scanner.read(part);
    else {
      const refused = REFUSED[scanner.place()];
      if (refused !== undefined) found.add(refused);
      scanner.word();
    }
  }
  return [...found];
}

/** The quoting rules of POSIX.1-2017, XCU 2.2, 2.3 and 2.7.4, as far as they tell these places apart. */
class ShellScanner {
  readonly #contexts: Context[] = ['plain'];
  /** Delimiters of here-documents announced on this line, and those whose body has begun. */
  #announced: string[] = [];
  #documents: string[] = [];
  #line = '';
  #escaped = false;
  #previous = '\n';

  place(): Context | 'document' | 'escape' {
    if (this.#documents.length > 0) return 'document';
    const context = this.#contexts.at(-1) ?? 'plain';
    const open = context === 'plain' || context === 'paren';
    return open && (this.#escaped || this.#previous === '$') ? 'escape' : context;
  }

  /** A value stands here: to what follows it is part of a word. */
  word(): void {
    this.#escaped = false;
    this.#previous = 'x';
    this.#line += 'x';
  }

  read(text: string): void {
    for (let index = 0; index < text.length; index += 1) {
      const char = text[index] ?? '';
      if (this.#documents.length > 0) this.#readDocument(char);
      else if (this.#escaped) this.#escaped = false;
      else index += this.#readCode(char, text.slice(index));
      this.#previous = text[index] ?? '';
    }
  }

  #readDocument(char: string): void {
    if (char !== '\n') {
      this.#line += char;
      return;
    }
    // <<- takes tabs away before it compares; a delimiter never begins with one.
    if (this.#line.replace(/^\t+/, '') === this.#documents[0]) this.#documents.shift();
    this.#line = '';
  }

  /** @returns how many characters more were read */
  #readCode(char: string, rest: string): number {
    const context = this.#contexts.at(-1) ?? 'plain';
    const closes = { single: "'", double: '"', backquote: '`', comment: '\n', paren: ')', plain: '' }[context];
    if (char === closes) this.#contexts.pop();
    if (char === '\n' && (char === closes || context === 'plain' || context === 'paren')) {
      this.#documents = this.#announced;
      this.#announced = [];
      this.#line = '';
    }
    if (char === closes || context === 'single' || context === 'comment') return 0;
    if (char === '\\') this.#escaped = true;
    else if (char === '`') this.#contexts.push('backquote');
    else if (rest.startsWith('$(')) {
      this.#contexts.push('paren');
      return 1;
    } else if (char === '"') this.#contexts.push('double');
    else if (context === 'double') return 0;
    else if (char === "'") this.#contexts.push('single');
    else if (char === '(') this.#contexts.push('paren');
    else if (char === '#' && /[\s;&|()]/.test(this.#previous)) this.#contexts.push('comment');
    else if (rest.startsWith('<<<')) return 2;
    else if (rest.startsWith('<<')) return this.#announce(rest);
    return 0;
  }

  #announce(rest: string): number {
    const [all = '<', , delimiter] = /^<<-?[ \t]*(['"\\]?)([^\s'"\\;&|<>()]+)['"]?/.exec(rest) ?? [];
    if (delimiter !== undefined) this.#announced.push(delimiter);
    return all.length - 1;
  }
}
