/**
 * What is found when a launch is checked before anything of it is submitted. Workflows, activities and clients share
 * it; what each check does stands in docs/preflight.md.
 *
 * @module
 */

/** In the order in which findings are shown. */
export const CHECKS = ['image', 'role', 'queue', 'resources', 'limits', 'inputs'] as const;
export type Check = (typeof CHECKS)[number];

export interface Finding {
  /** `error`: the launch would fail or never start. `warning`: it may, or that could not be found out. */
  level: 'error' | 'warning';
  check: Check;
  /** Place in the sheet or setting, e.g. `steps.align.image`, `batchQueue`. */
  at: string;
  message: string;
  remedy: string;
}

export interface Preflight {
  findings: Finding[];
  /** Image reference -> digest `sha256:…`, for images that could be resolved. */
  digests: Record<string, string>;
}

export const hasErrors = ({ findings }: Pick<Preflight, 'findings'>): boolean =>
  findings.some(({ level }) => level === 'error');

/** Findings of one check and level that are kept: the result goes into a history, and nobody reads a thousand. */
const MOST_OF_A_KIND = 50;

/** In the order of the checks, errors first; of a long list the first are kept, and one says how many more there are. */
export function arrange(findings: readonly Finding[]): Finding[] {
  return CHECKS.flatMap((check) =>
    (['error', 'warning'] as const).flatMap((level) => {
      const all = findings.filter((finding) => finding.check === check && finding.level === level);
      const [last] = all.slice(-1);
      if (all.length <= MOST_OF_A_KIND || !last) return all;
      const more = all.length - MOST_OF_A_KIND;
      const rest: Finding = { level, check, at: last.at, message: `and ${more} more like these`, remedy: last.remedy };
      return [...all.slice(0, MOST_OF_A_KIND), rest];
    }),
  );
}
