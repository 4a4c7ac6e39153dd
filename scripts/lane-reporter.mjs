/**
 * Counts a lane's tests for scripts/test.mjs. A skipped test without a reason counts as failed: nobody would know
 * what is not being tested, and why.
 */
import { writeFileSync } from 'node:fs';

export default class LaneReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const summary = { passed: 0, failed: unhandledErrors.length, skipped: [], failures: [] };
    for (const error of unhandledErrors) summary.failures.push(`outside any test: ${firstLine(error)}`);
    for (const module of modules) {
      if (module.state() === 'failed' && module.errors().length > 0) {
        summary.failed += 1;
        summary.failures.push(`${module.moduleId}: ${firstLine(module.errors()[0])}`);
      }
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === 'passed') summary.passed += 1;
        else if (result.state === 'skipped' && result.note)
          summary.skipped.push({ name: test.fullName, reason: result.note });
        else {
          summary.failed += 1;
          summary.failures.push(`${module.relativeModuleId}: ${test.fullName}: ${firstLine(result.errors?.[0])}`);
          if (result.state === 'skipped') console.error(`skipped without a reason: ${test.fullName}`);
        }
      }
    }
    writeFileSync(process.env.LONGHAUL_LANE_SUMMARY, JSON.stringify(summary));
  }
}

/** Enough to know the failure by; the whole of it stands further up in the log. */
const firstLine = (error) =>
  String(error?.message ?? 'no reason given')
    .split('\n')[0]
    .slice(0, 300);
