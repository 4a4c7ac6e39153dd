/** The pure rules of AWS Batch's stand-in. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ContainerState, readiness } from '../../infra/local/aws/batch/dependencies.ts';
import { shapesOf } from '../../infra/local/aws/batch/instance-types.ts';
import { LineSplitter } from '../../infra/local/aws/batch/log-lines.ts';
import { translator } from '../../infra/local/aws/batch/mounts.ts';
import { parseStat } from '../../infra/local/aws/batch/process-table.ts';
import { type AttemptEnd, readRetryStrategy, retries } from '../../infra/local/aws/batch/retry.ts';
import { substitute } from '../../infra/local/aws/batch/submit.ts';
import { Clock } from '../../infra/local/kit/clock.ts';
import { TokenBucket } from '../../infra/local/kit/token-bucket.ts';

describe('paths of mounts', () => {
  const translate = translator([
    { containerPath: '/work', hostPath: '/h/w' },
    { containerPath: '/work/deep/', hostPath: '/h/d' },
    { containerPath: '/data.x', hostPath: '/h/x' },
  ]);
  it.each([
    ['/work', '/h/w'],
    ['/work/', '/h/w/'],
    ['/work/a b', '/h/w/a b'],
    ['/work/deep/a', '/h/d/a'],
    ['/work/deeper', '/h/w/deeper'],
    ['cat "/work/a" \'/work/b\'', 'cat "/h/w/a" \'/h/w/b\''],
    ['IN=/work:/work/deep', 'IN=/h/w:/h/d'],
    ['{"in":"/work/x"}', '{"in":"/h/w/x"}'],
    ['--out=/work/o', '--out=/h/w/o'],
    ['-I/work/include', '-I/h/w/include'],
    ['file:///work/x', 'file:///h/w/x'],
    ['cd /work&&ls', 'cd /h/w&&ls'],
    ['/work2', '/work2'],
    ['/work.old', '/work.old'],
    ['/work-old/x', '/work-old/x'],
    ['/worké', '/worké'],
    ['/home/work', '/home/work'],
    ['s3://bucket/work/x', 's3://bucket/work/x'],
    ['//work', '//work'],
    ['rel/work', 'rel/work'],
    ['./work', './work'],
    ['/dataxx', '/dataxx'],
    ['/data.x/y', '/h/x/y'],
  ])('%s becomes %s', (given, wanted) => {
    expect(translate(given)).toBe(wanted);
  });

  it('does not look again at what it put in', () => {
    const nested = translator([
      { containerPath: '/a', hostPath: '/b' },
      { containerPath: '/b', hostPath: '/c' },
    ]);
    expect(nested('/a /b')).toBe('/b /c');
  });

  it('leaves text without the path alone', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!text.includes('/work') && !text.includes('/data.x'));
        expect(translate(text)).toBe(text);
      }),
    );
  });
});

describe('retry strategy', () => {
  const strategy = (...evaluateOnExit: object[]) =>
    readRetryStrategy({ retryStrategy: { attempts: 3, evaluateOnExit } });
  const host: AttemptEnd = { statusReason: 'Host EC2 (instance i-0) terminated.' };
  const exited: AttemptEnd = { exitCode: 1, statusReason: 'Essential container in task exited' };
  const memory: AttemptEnd = { exitCode: 137, reason: 'OutOfMemoryError: Container killed due to memory usage' };
  const spot = strategy({ onStatusReason: 'host ec2*', action: 'retry' }, { onReason: '*', action: 'EXIT' });
  it.each([
    ['no strategy', undefined, 1, exited, false],
    ['attempts only', { attempts: 2 }, 1, exited, true],
    ['attempts used up', { attempts: 2 }, 2, exited, false],
    ['the host was lost', spot, 1, host, true],
    ['a star matches a reason that is absent', spot, 1, exited, false],
    ['a star matches any reason', spot, 1, memory, false],
    ['the exit code matches', strategy({ onExitCode: '137', action: 'EXIT' }), 1, memory, false],
    ['the exit code is another', strategy({ onExitCode: '13', action: 'EXIT' }), 1, memory, true],
    ['the exit code begins so', strategy({ onExitCode: '13*', action: 'EXIT' }), 1, memory, false],
    ['all parts must match', strategy({ onExitCode: '1', onReason: 'x*', action: 'EXIT' }), 1, exited, true],
    [
      'the first match decides',
      strategy({ onExitCode: '1', action: 'RETRY' }, { onExitCode: '*', action: 'EXIT' }),
      1,
      exited,
      true,
    ],
    ['none matches', strategy({ onExitCode: '9', action: 'EXIT' }), 2, exited, true],
  ])('%s', (_, given, made, end, wanted) => {
    expect(retries(given, made, end)).toBe(wanted);
  });

  it.each([
    [{ attempts: 0 }, /attempts must be between 1 and 10/],
    [{ attempts: 11 }, /attempts must be between 1 and 10/],
    [{ evaluateOnExit: [{ onExitCode: '1', action: 'EXIT' }] }, /attempts must be specified/],
    [{ attempts: 2, evaluateOnExit: [{ onExitCode: 'x', action: 'EXIT' }] }, /valid pattern/],
    [{ attempts: 2, evaluateOnExit: [{ onReason: 'a*b', action: 'EXIT' }] }, /valid pattern/],
    [{ attempts: 2, evaluateOnExit: [{ onReason: '*', action: 'STOP' }] }, /one of \[RETRY, EXIT\]/],
    [{ attempts: 2, evaluateOnExit: [{ action: 'EXIT' }] }, /at least one/],
    [
      { attempts: 2, evaluateOnExit: Array.from({ length: 6 }, () => ({ onReason: '*', action: 'EXIT' })) },
      /supported is 5/,
    ],
  ])('%j is refused', (retryStrategy, message) => {
    expect(() => readRetryStrategy({ retryStrategy })).toThrow(message);
  });
});

describe('conditions between containers', () => {
  const pending: ContainerState = { status: 'PENDING', started: false };
  const running: ContainerState = { status: 'RUNNING', started: true };
  const good: ContainerState = { status: 'STOPPED', started: true, exitCode: 0 };
  const bad: ContainerState = { status: 'STOPPED', started: true, exitCode: 3 };
  const never: ContainerState = { status: 'STOPPED', started: false, exitCode: 143 };
  it.each<[string, ContainerState, string]>([
    ['START', pending, 'no'],
    ['START', running, 'yes'],
    ['START', bad, 'yes'],
    ['START', never, 'never'],
    ['COMPLETE', running, 'no'],
    ['COMPLETE', good, 'yes'],
    ['COMPLETE', bad, 'yes'],
    ['COMPLETE', never, 'never'],
    ['SUCCESS', running, 'no'],
    ['SUCCESS', good, 'yes'],
    ['SUCCESS', bad, 'never'],
    ['SUCCESS', never, 'never'],
  ])('%s on %j: %s', (condition, state, wanted) => {
    const found = readiness('main', [{ containerName: 'stage', condition }], new Map([['stage', state]]));
    expect(found.ready).toBe(wanted);
  });

  it('waits for all of several', () => {
    const dependsOn = [
      { containerName: 'a', condition: 'SUCCESS' },
      { containerName: 'b', condition: 'START' },
    ];
    expect(
      readiness(
        'c',
        dependsOn,
        new Map([
          ['a', good],
          ['b', pending],
        ]),
      ).ready,
    ).toBe('no');
    expect(
      readiness(
        'c',
        dependsOn,
        new Map([
          ['a', good],
          ['b', running],
        ]),
      ).ready,
    ).toBe('yes');
  });
});

describe('log lines', () => {
  it('come out the same however the bytes are split', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.integer({ min: 1, max: 7 }), (parts, size) => {
        const text = parts.join('\n');
        const splitter = new LineSplitter();
        const lines: string[] = [];
        const bytes = Buffer.from(text);
        for (let at = 0; at < bytes.length; at += size) lines.push(...splitter.push(bytes.subarray(at, at + size)));
        lines.push(...splitter.end());
        expect(lines).toEqual(
          bytes
            .toString()
            .split('\n')
            .filter((line) => line !== ''),
        );
      }),
    );
  });

  it('are cut at 256 KiB between characters', () => {
    const splitter = new LineSplitter();
    const text = 'é'.repeat(200_000);
    const lines = [...splitter.push(Buffer.from(`x${text}\n`)), ...splitter.end()];
    expect(lines.length).toBe(2);
    expect(lines.join('')).toBe(`x${text}`);
    for (const line of lines) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(262_118);
  });

  it('of a flood without line breaks do not pile up', () => {
    const splitter = new LineSplitter();
    let bytes = 0;
    for (let round = 0; round < 100; round += 1) {
      for (const line of splitter.push(Buffer.alloc(65_536, 'a'))) bytes += line.length;
    }
    expect(100 * 65_536 - bytes).toBeLessThanOrEqual(262_118);
  });
});

describe('small things', () => {
  it('substitutes parameters, and leaves unknown ones', () => {
    expect(substitute('in=Ref::in Ref::other', { in: 'a' })).toBe('in=a Ref::other');
  });

  it('knows single types, families and groups', () => {
    expect(shapesOf('m5.large')).toEqual([{ type: 'm5.large', vcpus: 2, memoryMiB: expect.any(Number) }]);
    expect(shapesOf('m5.2xlarge')[0]?.memoryMiB).toBe(31_431);
    expect(shapesOf('optimal').length).toBeGreaterThan(10);
    expect(shapesOf('m5').every(({ type }) => type.startsWith('m5.'))).toBe(true);
    expect(shapesOf('toString')).toEqual([]);
  });

  it('reads /proc/<pid>/stat whatever the command is called', () => {
    const row = parseStat(7, `7 (a) b) S 1 5 6 ${'0 '.repeat(15)}99 1000 10 x`);
    expect(row).toMatchObject({
      pid: 7,
      parent: 1,
      group: 5,
      session: 6,
      startedAt: '99',
      rssBytes: expect.any(Number),
    });
  });

  it('refills tokens with time', () => {
    const clock = new Clock();
    const bucket = new TokenBucket(clock, { perSecond: 1, burst: 2 });
    expect([bucket.take(), bucket.take(), bucket.take()]).toEqual([true, true, false]);
    clock.advance(1000);
    expect([bucket.take(), bucket.take()]).toEqual([true, false]);
  });
});
