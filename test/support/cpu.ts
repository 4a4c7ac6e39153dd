/**
 * What something costs in CPU time of this process. Tests that guard against quadratic code compare it with many times what is
 * usual: neighbours on the machine do not count in it.
 *
 * @module
 */

/** @returns milliseconds, of all threads */
export function cpuMs(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
