/**
 * Counts a lane's tests by file for scripts/lane.mjs. A skipped test without a reason counts as failed: nobody would know what is
 * not being tested, and why.
 */
import { writeFileSync } from 'node:fs';

export default class LaneReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const files = {};
    for (const module of modules) {
      const name = module.relativeModuleId;
      const file = { passed: 0, failures: [], skipped: [] };
      files[name] = file;
      const fail = (what, error) => file.failures.push(`${name}: ${what}${firstLine(error)}`);
      if (module.state() === 'failed') for (const error of module.errors().slice(0, 1)) fail('', error);
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === 'passed') file.passed += 1;
        else if (result.state === 'skipped' && result.note)
          file.skipped.push({ name: test.fullName, reason: result.note });
        else {
          fail(`${test.fullName}: `, result.errors?.[0]);
          if (result.state === 'skipped') console.error(`skipped without a reason: ${test.fullName}`);
        }
      }
    }
    const outside = unhandledErrors.map((error) => `outside any test: ${firstLine(error)}`);
    writeFileSync(process.env.LONGHAUL_LANE_SUMMARY, JSON.stringify({ files, outside }));
  }
}

/** Enough to know the failure by; the whole of it stands further up in the log. */
const firstLine = (error) =>
  String(error?.message ?? 'no reason given')
    .split('\n')[0]
    .slice(0, 300);
