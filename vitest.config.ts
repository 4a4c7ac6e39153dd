import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/longest-first.ts';

/** Ms. What takes so long hangs: on a machine busy with a build, tests of three seconds take half a minute. */
const HANGS = 300_000;

/** One project a lane. Forks, because Temporal's native runtime does not survive worker threads. */
const lane = (name: string, options: Record<string, unknown> = {}) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    pool: 'forks' as const,
    // What is waited for comes at once or, on a busy machine, late; vitest's own second is too short for that.
    expect: { poll: { timeout: 120_000 } },
    ...options,
  },
});

/** For lanes whose files run workflows in their own process. */
const WITH_BUNDLE = { globalSetup: ['test/support/bundle-workflows.ts'] };

export default defineConfig({
  test: {
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    sequence: { sequencer: LongestFirst },
    projects: [
      // Tests wait for processes, sockets and timers: two at a time leave half of two cores idle.
      lane('unit', { maxWorkers: 4, testTimeout: HANGS, setupFiles: ['test/support/no-network.ts'] }),
      lane('contract', { maxWorkers: 3, testTimeout: HANGS, hookTimeout: HANGS }),
      lane('workflow', {
        maxWorkers: 3,
        testTimeout: HANGS,
        hookTimeout: HANGS,
        setupFiles: ['test/support/no-network.ts'],
        ...WITH_BUNDLE,
      }),
      // Not a lane: scripts/record-histories.mjs.
      lane('record', { testTimeout: 120_000, hookTimeout: 300_000 }),
      lane('replay', { testTimeout: HANGS, hookTimeout: HANGS, ...WITH_BUNDLE }),
      // Each file has a platform of half a dozen processes: two of them keep two cores busy, three are no quicker.
      lane('integration', { testTimeout: HANGS, hookTimeout: HANGS, maxWorkers: 2 }),
      // One platform and one browser a file; the pages draw, so two at a time is what two cores take.
      lane('browser', { testTimeout: HANGS, hookTimeout: HANGS, maxWorkers: 2 }),
      // They wait for what has gone wrong to come right.
      lane('faults', { testTimeout: HANGS, hookTimeout: HANGS, maxWorkers: 3 }),
    ],
  },
});
