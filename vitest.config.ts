import { defineConfig } from 'vitest/config';

/** One project a lane. Forks, because Temporal's native runtime does not survive worker threads. */
const lane = (name: string, options: Record<string, unknown> = {}) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    pool: 'forks' as const,
    // What is waited for comes at once or, on a busy machine, late; vitest's own second is too short for that.
    expect: { poll: { timeout: 20_000 } },
    ...options,
  },
});

export default defineConfig({
  test: {
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    projects: [
      // Tests wait for processes, sockets and timers: two at a time leave half of two cores idle.
      lane('unit', { maxWorkers: 4, testTimeout: 20_000, setupFiles: ['test/support/no-network.ts'] }),
      lane('contract', { maxWorkers: 3, testTimeout: 60_000, hookTimeout: 60_000 }),
      lane('workflow', {
        maxWorkers: 3,
        testTimeout: 60_000,
        hookTimeout: 120_000,
        setupFiles: ['test/support/no-network.ts'],
      }),
      // Not a lane: scripts/record-histories.mjs.
      lane('record', { testTimeout: 120_000, hookTimeout: 300_000 }),
      lane('replay', { testTimeout: 60_000, hookTimeout: 120_000 }),
      // Each file has a platform of half a dozen processes: two of them keep two cores busy, three are no quicker.
      lane('integration', { testTimeout: 180_000, hookTimeout: 300_000, maxWorkers: 2 }),
      // One platform and one browser a file; the pages draw, so two at a time is what two cores take.
      lane('browser', { testTimeout: 120_000, hookTimeout: 300_000, maxWorkers: 2 }),
      lane('faults', { testTimeout: 180_000, hookTimeout: 300_000, maxWorkers: 2 }),
    ],
  },
});
