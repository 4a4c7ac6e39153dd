/** The checks that ask nobody: limits of a job, trust policies, the queue's state, and the order of findings. */
import { describe, expect, it } from 'vitest';
import type { QueueWithEnvironments } from '../../lib/launch/batch-queue.ts';
import { checkLimits } from '../../lib/launch/preflight/limits.ts';
import { checkQueue } from '../../lib/launch/preflight/queue.ts';
import { mayAssume } from '../../lib/launch/roles.ts';
import { arrange, type Finding, hasErrors } from '../../workflows/launch/preflight.ts';
import type { Sheet, SheetStep, StepsSheet } from '../../workflows/launch/sheet/sheet.ts';
import { planOf, sheetOf } from '../support/sheets.ts';

const PLACE = { bucket: 'longhaul', batchQueue: 'longhaul' };
const step = (more: Partial<SheetStep> = {}): SheetStep => ({ image: 'tools:1', command: 'true', ...more });
const limits = (steps: StepsSheet['steps'], more: Partial<Sheet> = {}) =>
  checkLimits(planOf(sheetOf(steps, more)), PLACE);

describe('limits', () => {
  it('of an ordinary sheet are kept', () => {
    const scatter = { sample: Array.from({ length: 10_000 }, (_, index) => `s${index}`) };
    expect(limits({ a: step({ scatter: ['sample'] }), b: step({ retries: 9 }) }, { scatter })).toEqual([]);
  });

  it('of the payload: a long argv', () => {
    const scatter = { sample: Array.from({ length: 1000 }, (_, index) => `sample-${index}`) };
    const found = limits(
      {
        count: step({ scatter: ['sample'], outputs: { lines: '${{ sample }}.count' } }),
        report: {
          image: 'tools:1',
          inputs: { counts: { from: 'count.lines', gather: true } },
          argv: ['sort', '${{ inputs.counts }}'],
        },
      },
      { scatter },
    );

    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ level: 'error', check: 'limits', at: 'steps.report.argv' });
    expect(found[0]?.message).toMatch(
      /^the job is 60,\d{3} bytes to submit \(argv 58,\d{3}, environment 2\); AWS Batch takes 30,720$/,
    );
    expect(found[0]?.remedy).toMatch(/^use command instead of argv/);
  });

  it('of the payload: a large environment, to the byte', () => {
    const sized = (bytes: number) => limits({ a: step({ environment: { X: 'x'.repeat(bytes) } }) });
    const [over] = sized(31_000);
    const total = Number(/^the job is ([\d,]+) bytes/.exec(over?.message ?? '')?.[1]?.replaceAll(',', ''));
    const room = 31_000 - (total - 30_720);

    expect(over?.at).toBe('steps.a.environment');
    expect(sized(room)).toEqual([]);
    expect(sized(room + 1)).toHaveLength(1);
  });

  it('of a plan that no sheet gives are told all the same', () => {
    const plan = planOf(sheetOf({ a: step(), b: step(), c: step() }));
    const [a, b, c] = plan.steps;
    if (!a || !b || !c) throw new Error('the plan of this test is wrong');
    const found = checkLimits(
      {
        ...plan,
        steps: [
          { ...a, items: 10_001 },
          { ...b, retries: { ...b.retries, hostLoss: 10 }, timeoutSeconds: 30 },
          { ...c, environment: { AWS_BATCH_X: '1', Y: 'a\0b' } },
        ],
      },
      PLACE,
    );

    expect(found.map(({ at }) => at)).toEqual([
      'steps.a.scatter',
      'steps.b.retries.hostLoss',
      'steps.b.timeoutSeconds',
      'steps.c.environment.AWS_BATCH_X',
      'steps.c.environment.Y',
    ]);
    expect(found.every(({ remedy }) => remedy !== '')).toBe(true);
  });
});

describe('a trust policy', () => {
  const TASKS = 'ecs-tasks.amazonaws.com';
  const allow = { Effect: 'Allow', Principal: { Service: TASKS }, Action: 'sts:AssumeRole' };
  const policy = (...Statement: unknown[]) => JSON.stringify({ Version: '2012-10-17', Statement });

  it.each([
    ['the service', policy(allow)],
    ['a statement that is no list', JSON.stringify({ Statement: allow })],
    ['one service of several', policy({ ...allow, Principal: { Service: ['ec2.amazonaws.com', TASKS] } })],
    ['everybody', policy({ ...allow, Principal: '*' })],
    ['every action of STS', policy({ ...allow, Action: ['sts:TagSession', 'STS:Assume*'] })],
    ['the service on a condition', policy({ ...allow, Condition: { StringEquals: { 'aws:SourceAccount': '1' } } })],
    ['the service, and denies it on a condition', policy(allow, { ...allow, Effect: 'Deny', Condition: {} })],
  ])('that allows %s is enough', (_, text) => expect(mayAssume(text, TASKS)).toBe(true));

  it.each([
    ['another service', policy({ ...allow, Principal: { Service: 'ec2.amazonaws.com' } })],
    ['an account', policy({ ...allow, Principal: { AWS: '*' } })],
    ['another action', policy({ ...allow, Action: 'sts:AssumeRoleWithSAML' })],
    ['the service, and denies it', policy(allow, { ...allow, Effect: 'Deny' })],
    ['nothing', policy()],
    ['nothing that can be read', '{'],
    ['a pattern that is no regular expression', policy({ ...allow, Action: 'sts:(' })],
  ])('that allows %s is not', (_, text) => expect(mayAssume(text, TASKS)).toBe(false));
});

describe('the queue', () => {
  const environment = (more: object = {}) => ({
    computeEnvironmentName: 'genomics',
    computeEnvironmentArn: 'arn:aws:batch:us-east-1:123456789012:compute-environment/genomics',
    ecsClusterArn: 'arn:aws:ecs:us-east-1:123456789012:cluster/genomics',
    type: 'MANAGED' as const,
    state: 'ENABLED' as const,
    status: 'VALID' as const,
    statusReason: 'ComputeEnvironment Healthy',
    computeResources: { type: 'EC2' as const, maxvCpus: 16, subnets: [] },
    ...more,
  });
  const read = (queue: object = {}, ...environments: ReturnType<typeof environment>[]): QueueWithEnvironments => ({
    queue: {
      jobQueueName: 'jobs',
      jobQueueArn: 'arn:aws:batch:us-east-1:123456789012:job-queue/jobs',
      state: 'ENABLED',
      status: 'VALID',
      statusReason: 'JobQueue Healthy',
      priority: 1,
      computeEnvironmentOrder: [],
      ...queue,
    },
    environments,
  });
  const said = (found: readonly Finding[]) => found.map(({ level, message }) => `${level}: ${message}`);

  it('that is enabled and valid, with such an environment, is good', () => {
    expect(checkQueue('jobs', read({}, environment()))).toEqual([]);
    expect(checkQueue('jobs', read({ status: 'UPDATING' }, environment({ status: 'UPDATING' })))).toEqual([]);
  });

  it('that is not there is an error', () => {
    expect(said(checkQueue('jobs', undefined))).toEqual([
      'error: there is no job queue jobs in this account and Region',
    ]);
  });

  it("is quoted with the service's reason", () => {
    const broken = { state: 'DISABLED', status: 'INVALID', statusReason: 'CLIENT_ERROR - no role' };
    expect(said(checkQueue('jobs', read(broken, environment(broken))))).toEqual([
      'error: the job queue jobs is DISABLED (CLIENT_ERROR - no role)',
      'error: the job queue jobs has the status INVALID (CLIENT_ERROR - no role)',
      'error: no compute environment of the job queue jobs is enabled and valid: genomics is DISABLED and INVALID (CLIENT_ERROR - no role)',
    ]);
  });

  it('with one environment of two that works is a warning', () => {
    expect(said(checkQueue('jobs', read({}, environment({ state: 'DISABLED' }), environment())))).toEqual([
      'warning: one compute environment of the job queue jobs takes no jobs: genomics is DISABLED and VALID (ComputeEnvironment Healthy)',
    ]);
  });

  it.each([
    ['no environment', []],
    ['Fargate only', [environment({ computeResources: { type: 'FARGATE', maxvCpus: 16, subnets: [] } })]],
    ['Kubernetes only', [environment({ containerOrchestrationType: 'EKS' })]],
  ])('with %s is an error', (_, environments) => {
    expect(checkQueue('jobs', read({}, ...environments))).toMatchObject([{ level: 'error', at: 'batchQueue' }]);
  });
});

describe('findings', () => {
  const finding = (check: Finding['check'], level: Finding['level'], at = 'x'): Finding => ({
    level,
    check,
    at,
    message: 'm',
    remedy: 'r',
  });

  it('come in the order of the checks, errors first', () => {
    const found = arrange([finding('inputs', 'error'), finding('image', 'warning'), finding('image', 'error')]);

    expect(found.map(({ check, level }) => `${check} ${level}`)).toEqual([
      'image error',
      'image warning',
      'inputs error',
    ]);
  });

  it('are bounded in number, and say how many are left out', () => {
    const many = Array.from({ length: 1000 }, (_, index) => finding('resources', 'error', `steps.s${index}.resources`));
    const found = arrange(many);

    expect(found).toHaveLength(51);
    expect(found.at(-1)).toMatchObject({ level: 'error', message: 'and 950 more like these' });
  });

  it('have errors, or only warnings', () => {
    expect(hasErrors({ findings: [finding('image', 'warning')] })).toBe(false);
    expect(hasErrors({ findings: [finding('image', 'warning'), finding('role', 'error')] })).toBe(true);
  });
});
