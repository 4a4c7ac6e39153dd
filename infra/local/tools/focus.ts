/**
 * The validator of FOCUS, the FinOps Open Cost and Usage Specification: from PyPI, when a test wants it.
 *
 * @module
 */
import type { Progress } from './progress.ts';
import { attempt, type RunResult, run } from './run.ts';
import { cachedVenv } from './venv.ts';

const VERSION = '2.2.1';
/** What it asks for, but for numpy: it wants one before 2, which polars and pandas of its other bounds do well without. */
const PACKAGES = [
  'numpy==2.5.5',
  'ddt==1.7.2',
  'duckdb==1.5.6',
  'graphviz==0.21',
  'jsonschema==4.26.0',
  'multimethod==2.0.2',
  'pandas==2.3.3',
  'pandera==0.26.1',
  'polars==1.44.2',
  'pyarrow==26.0.1',
  'pydantic==2.14.4',
  'pytz==2025.2',
  'pyyaml==6.0.4',
  'requests==2.34.2',
  'sqlglot==27.29.0',
  'tabulate==0.10.0',
];

/** Checks a file against FOCUS 1.2, whose rules the package has with it. */
export type FocusValidator = (file: string, criteria: readonly string[]) => Promise<RunResult>;

export async function focusValidator(progress: Progress): Promise<FocusValidator> {
  const tool = 'focus-validator';
  const needs = { python: '3.12', alone: [`${tool}==${VERSION}`] };
  const { python } = await cachedVenv(tool, `${tool}-${VERSION}`, PACKAGES, 'see what pip says', progress, needs);
  // It finds its rules relative to where it is started.
  const packages = await run(python, ['-c', 'import sysconfig; print(sysconfig.get_path("purelib"))']);
  return (file, criteria) =>
    attempt(
      python,
      [
        ...['-m', 'focus_validator.main', '--data-file', file, '--validate-version', '1.2', '--block-download'],
        ...(criteria.length > 0 ? ['--applicability-criteria', criteria.join(',')] : []),
      ],
      { cwd: packages.trim(), timeoutMs: 120_000, tool, progress },
    );
}
