import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Clock } from '../../infra/local/kit/clock.ts';

const DAY = 86_400_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the clock', () => {
  it('runs with real time, and ahead of it once moved', () => {
    const clock = new Clock();
    const start = clock.now();

    clock.advance(2 * DAY);
    vi.advanceTimersByTime(1000);

    expect(clock.now() - start).toBe(2 * DAY + 1000);
    expect(clock.date().getTime() - Date.now()).toBe(2 * DAY);
  });

  it('fires what has become due in order of time, and at one time in the order it was asked for', () => {
    const clock = new Clock();
    const fired: string[] = [];
    for (const [name, delay] of Object.entries({
      late: 3000,
      early: 1000,
      middle: 2000,
      middleToo: 2000,
      never: 3001,
    })) {
      clock.after(delay, () => fired.push(name));
    }

    clock.advance(3000);

    expect(fired).toEqual(['early', 'middle', 'middleToo', 'late']);
  });

  it('fires each once, also when real time catches up', () => {
    const clock = new Clock();
    const fired: number[] = [];
    clock.after(1000, () => fired.push(clock.now()));

    clock.advance(1000);
    clock.advance(1000);
    vi.advanceTimersByTime(5000);

    expect(fired).toHaveLength(1);
  });

  it('brings nearer what is not due yet', () => {
    const clock = new Clock();
    const fired = vi.fn();
    clock.after(10_000, fired);

    clock.advance(9000);
    vi.advanceTimersByTime(999);
    const before = fired.mock.calls.length;
    vi.advanceTimersByTime(1);

    expect([before, fired.mock.calls.length]).toEqual([0, 1]);
  });

  it('does not fire what was cancelled, not even by what is due with it', () => {
    const clock = new Clock();
    const fired = vi.fn();
    const cancel = clock.after(2000, fired);
    clock.after(1000, cancel);
    const twice = clock.after(500, fired);
    twice();
    twice();

    clock.advance(5000);
    vi.advanceTimersByTime(5000);

    expect(fired).not.toHaveBeenCalled();
  });

  it('waits longer than a timer of Node can', () => {
    const clock = new Clock();
    const fired = vi.fn();
    clock.after(30 * DAY, fired);

    vi.advanceTimersByTime(30 * DAY - 1);
    const early = fired.mock.calls.length;
    vi.advanceTimersByTime(1);

    expect([early, fired.mock.calls.length]).toEqual([0, 1]);
  });

  it.each([-1, Number.NaN])('is not moved by %s', (ms) => {
    expect(() => new Clock().advance(ms)).toThrow(RangeError);
  });
});
