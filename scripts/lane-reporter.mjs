/**
 * Counts a lane's tests for scripts/test.mjs. A skipped test without a reason counts as failed: nobody would know
 * what is not being tested, and why.
 */
import { writeFileSync } from 'node:fs';

export default class LaneReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const summary = { passed: 0, failed: unhandledErrors.length, skipped: [] };
    for (const module of modules) {
      if (module.state() === 'failed' && module.errors().length > 0) summary.failed += 1;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === 'passed') summary.passed += 1;
        else if (result.state === 'skipped' && result.note) summary.skipped.push(`${test.fullName}: ${result.note}`);
        else {
          summary.failed += 1;
          if (result.state === 'skipped') console.error(`skipped without a reason: ${test.fullName}`);
        }
      }
    }
    writeFileSync(process.env.LONGHAUL_LANE_SUMMARY, JSON.stringify(summary));
  }
}
