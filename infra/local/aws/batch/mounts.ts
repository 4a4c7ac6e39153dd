/**
 * Stands in for mount namespaces: a job's command and environment speak of paths inside its container; here they are
 * rewritten to the directories behind the mounts. Paths that only appear in files or are put together at run time
 * stay untouched, so a job must take its paths from its arguments or its environment.
 *
 * @module
 */

export interface Mount {
  containerPath: string;
  hostPath: string;
}

/** Characters that go on with the same file name: `/work` is not meant in `/work2`, nor in `/work.old`. */
const NAME = '[\\p{L}\\p{N}\\p{M}._+@%~*-]';

/**
 * Replaces each containerPath that stands as the head of an absolute path, longest first, in one pass (what was put
 * in is not looked at again). A path may follow a delimiter, `file://` or a short option (`-I/work`); after a name or
 * a slash it is the middle of another path.
 */
export function translator(mounts: readonly Mount[]): (text: string) => string {
  const byPath = new Map<string, string>();
  for (const { containerPath, hostPath } of mounts) {
    const path = containerPath.replace(/\/+$/, '');
    if (path.startsWith('/')) byPath.set(path, hostPath);
  }
  if (byPath.size === 0) return (text) => text;
  const paths = [...byPath.keys()].sort((a, b) => b.length - a.length).map(escapePattern);
  const before = `(?<!${NAME}|/)|(?<=(?<!${NAME})file://)|(?<=(?<!${NAME}|/|-)-[A-Za-z])`;
  const wanted = new RegExp(`(?:${before})(${paths.join('|')})(?!${NAME})`, 'gu');
  return (text) => text.replace(wanted, (path) => byPath.get(path) ?? path);
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
