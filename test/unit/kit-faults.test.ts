import { describe, expect, it } from 'vitest';
import { FaultPlan, type FaultRule } from '../../infra/local/kit/faults.ts';

const SUBMIT = { service: 'batch', operation: 'SubmitJob', subject: 'align-1' };

function plan(...rules: FaultRule[]): FaultPlan {
  const made = new FaultPlan();
  made.set(rules);
  return made;
}
/** Which of the next `count` calls are hit, counted from 1. */
const hits = (faults: FaultPlan, count: number, call = SUBMIT) =>
  Array.from({ length: count }, (_, index) => (faults.take(call) ? index + 1 : 0)).filter((nth) => nth > 0);

describe('a fault plan', () => {
  it.each<[string, Partial<FaultRule>, number[]]>([
    ['the first call when nothing is said', {}, [1]],
    ['the nth call', { nth: 3 }, [3]],
    ['as many calls as it says', { times: 2 }, [1, 2]],
    ['as many calls as it says from the nth on', { nth: 2, times: 3 }, [2, 3, 4]],
    ['all calls at a share of 1', { share: 1 }, [1, 2, 3, 4, 5, 6]],
    ['none at a share of 0', { share: 0 }, []],
  ])('hits %s', (_, rule, expected) => {
    expect(hits(plan({ effect: 'error', ...rule }), 6)).toEqual(expected);
  });

  it('hits the share it says, the same calls for the same seed, others for another', () => {
    const drawn = (seed?: number) =>
      hits(plan({ effect: 'error', share: 0.3, ...(seed !== undefined && { seed }) }), 2000);

    const [first, again, other, unsaid] = [drawn(7), drawn(7), drawn(8), drawn()];

    expect(first).toEqual(again);
    expect(other).not.toEqual(first);
    expect(unsaid).toEqual(drawn(1));
    expect(first.length).toBeGreaterThan(500);
    expect(first.length).toBeLessThan(700);
  });

  it.each<[string, Partial<FaultRule>]>([
    ['another service', { service: 's3' }],
    ['another operation', { operation: 'DescribeJobs' }],
    ['another subject', { subject: 'align-2' }],
  ])('neither hits nor counts %s', (_, rule) => {
    const faults = plan({ effect: 'error', nth: 2, ...rule });
    const meant = {
      service: rule.service ?? 'batch',
      operation: rule.operation ?? 'SubmitJob',
      subject: rule.subject ?? 'align-1',
    };

    const passed = hits(faults, 3);

    expect(passed).toEqual([]);
    expect(hits(faults, 3, meant)).toEqual([2]);
  });

  it('takes a subject that contains what the rule says', () => {
    expect(hits(plan({ effect: 'error', subject: 'align' }), 1)).toEqual([1]);
  });

  it('lets the first rule win, and counts a call against all of them', () => {
    const faults = plan({ effect: 'throttle' }, { effect: 'reset', times: 2 });

    expect([faults.take(SUBMIT)?.effect, faults.take(SUBMIT)?.effect, faults.take(SUBMIT)]).toEqual([
      'throttle',
      'reset',
      undefined,
    ]);
  });

  it('counts anew when it is set anew', () => {
    const faults = plan({ effect: 'error' });
    hits(faults, 3);

    faults.set([{ effect: 'error' }]);

    expect(hits(faults, 3)).toEqual([1]);
  });

  it('says what goes wrong, with defaults', () => {
    const given = { effect: 'error', when: 'after', status: 503, code: 'Busy', delayMs: 5 } as const;

    expect(plan({ effect: 'error' }).take(SUBMIT)).toEqual({
      effect: 'error',
      when: 'before',
      status: 500,
      code: 'InternalFailure',
      delayMs: 0,
    });
    expect(plan(given).take(SUBMIT)).toEqual(given);
  });
});
