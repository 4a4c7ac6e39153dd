/**
 * Runs one lane of tests. Files of which a test failed are run once more, one after another and with nothing beside them: what
 * passes then was disturbed by its neighbours or by the machine. It counts as passed, and is listed by name as unsteady.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where more files fail, it is not the machine. */
const MOST_AGAIN = 5;

/**
 * @param {{ lane: string, node?: string, files?: string[], cwd?: string, output?: 'inherit' | 'ignore' }} of
 *   files: only those whose paths hold one of these
 * @returns {{ passed: number, failures: string[], unsteady: string[], skipped: { name: string, reason: string }[] }}
 */
export function runLane({ lane, node = process.execPath, files = [], cwd = process.cwd(), output = 'inherit' }) {
  const first = run([...files]);
  const failing = Object.keys(first.files).filter((name) => first.files[name].failures.length > 0);
  const again = failing.length > 0 && failing.length <= MOST_AGAIN;
  if (again && output === 'inherit') console.log(`\n${lane}: once more, alone: ${failing.join(', ')}`);
  const second = again ? run([...failing, '--no-file-parallelism']) : { files: {}, outside: [] };
  const last = Object.values({ ...first.files, ...second.files });
  const { outside, good } = again ? second : first;
  const failures = [...outside, ...last.flatMap((file) => file.failures)];
  const passed = last.reduce((sum, file) => sum + file.passed, 0);
  return {
    passed,
    // A lane that ran no test, or one that vitest itself calls failed, is no success.
    failures: failures.length === 0 && (passed === 0 || !good) ? ['vitest failed'] : failures,
    unsteady: [
      ...(again ? first.outside : []),
      ...failing
        .filter((name) => second.files[name]?.failures.length === 0)
        .flatMap((name) => first.files[name].failures),
    ],
    skipped: last.flatMap((file) => file.skipped),
  };

  function run(args) {
    const scratch = mkdtempSync(join(tmpdir(), 'longhaul-lane-'));
    const summary = join(scratch, 'summary.json');
    const reporter = fileURLToPath(new URL('lane-reporter.mjs', import.meta.url));
    const { status } = spawnSync(
      node,
      [
        'node_modules/vitest/vitest.mjs',
        'run',
        ...args,
        '--project',
        lane,
        '--reporter=default',
        `--reporter=${reporter}`,
      ],
      { cwd, stdio: ['ignore', output, output], env: { ...process.env, LONGHAUL_LANE_SUMMARY: summary } },
    );
    const ended = existsSync(summary);
    const told = ended
      ? JSON.parse(readFileSync(summary, 'utf8'))
      : { files: {}, outside: ['it did not come to its end'] };
    rmSync(scratch, { recursive: true });
    return { ...told, good: status === 0 };
  }
}
